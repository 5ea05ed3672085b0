import type { Place, Places } from '../permits.js';
import type { Database } from './database.js';
import { keyOf, readable } from './names.js';

/** Leases end by the server's clock: those of the machines may differ. */
export class PostgresPlaces implements Places {
  readonly #database: Database;
  readonly #environment: number;

  constructor(database: Database, environment: number) {
    this.#database = database;
    this.#environment = environment;
  }

  async take({ name, holder, leaseMs }: Place, limit: number): Promise<boolean> {
    const [answer] = await this.#database.query<{ taken: boolean }>('SELECT ostinato.take_place($1, $2, $3, $4, $5, $6) AS taken', [
      this.#environment,
      keyOf(name),
      holder,
      readable(name),
      limit,
      `${leaseMs} milliseconds`,
    ]);
    return answer!.taken;
  }

  renew(place: Place): Promise<unknown> {
    return this.take(place, Infinity);
  }

  giveBack({ name, holder }: Place): Promise<unknown> {
    return this.#database.query('SELECT ostinato.give_back_place($1, $2, $3)', [this.#environment, keyOf(name), holder]);
  }
}
