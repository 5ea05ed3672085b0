import type { Place, Places } from '../permits.js';
import type { Database, Statement } from './database.js';

/** Leases end by this machine's clock: only processes on it share the file. */
export class SqlitePlaces implements Places {
  readonly #database: Database;
  readonly #environment: number;
  readonly #count: Statement<{ places: number }>;
  readonly #dropExpired: Statement<never>;
  readonly #hold: Statement<never>;
  readonly #drop: Statement<never>;

  constructor(database: Database, environment: number) {
    this.#database = database;
    this.#environment = environment;
    this.#count = database.prepare('SELECT count(*) AS places FROM permits WHERE environment = ? AND name = ? AND expires_at > ?');
    this.#dropExpired = database.prepare('DELETE FROM permits WHERE environment = ? AND name = ? AND expires_at <= ?');
    this.#hold = database.prepare(`
      INSERT INTO permits (environment, name, holder, expires_at) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at`);
    this.#drop = database.prepare('DELETE FROM permits WHERE environment = ? AND name = ? AND holder = ?');
  }

  async take(place: Place, limit: number): Promise<boolean> {
    const isFull = (): boolean => this.#count.get(this.#environment, place.name, Date.now())!.places >= limit;
    // Whoever only waits leaves the write lock to those who work.
    if (await this.#database.read(isFull)) return false;
    return this.#database.write(() => {
      this.#dropExpired.run(this.#environment, place.name, Date.now());
      return !isFull() && this.#write(place) === 1;
    });
  }

  renew(place: Place): Promise<unknown> {
    return this.#database.write(() => this.#write(place));
  }

  giveBack({ name, holder }: Place): Promise<unknown> {
    return this.#database.write(() => this.#drop.run(this.#environment, name, holder));
  }

  #write({ name, holder, leaseMs }: Place): number {
    return this.#hold.run(this.#environment, name, holder, Date.now() + leaseMs);
  }
}
