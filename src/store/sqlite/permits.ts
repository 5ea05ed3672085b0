import { randomUUID } from 'node:crypto';
import { fail } from '../../contract/failure.js';
import type { Permit, Permits } from '../store.js';
import type { Changes } from './changes.js';
import type { Database, Statement } from './database.js';

/** A place whose holder was killed is looked for this often. One given back is noticed as any other change. */
const lookMs = 250;

/** Places are rows with a lease. In one process who came first goes first; between processes chance decides. */
export class SqlitePermits implements Permits {
  readonly #database: Database;
  readonly #changes: Changes;
  readonly #environment: number;
  readonly #count: Statement<{ places: number }>;
  readonly #dropExpired: Statement<never>;
  readonly #hold: Statement<never>;
  readonly #drop: Statement<never>;
  readonly #lines = new Map<string, symbol[]>();
  readonly #held = new Set<Permit>();

  constructor(database: Database, changes: Changes, environment: number) {
    this.#database = database;
    this.#changes = changes;
    this.#environment = environment;
    this.#count = database.prepare('SELECT count(*) AS places FROM permits WHERE environment = ? AND name = ? AND expires_at > ?');
    this.#dropExpired = database.prepare('DELETE FROM permits WHERE environment = ? AND name = ? AND expires_at <= ?');
    this.#hold = database.prepare(`
      INSERT INTO permits (environment, name, holder, expires_at) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at`);
    this.#drop = database.prepare('DELETE FROM permits WHERE environment = ? AND name = ? AND holder = ?');
  }

  async acquire(
    name: string,
    limit: number,
    { leaseMs = 15_000, signal }: { leaseMs?: number; signal?: AbortSignal } = {},
  ): Promise<Permit> {
    if (!(limit >= 1)) throw fail('Input.Invalid', `"${name}" allows ${limit} at a time, so nobody would ever go. Allow at least 1.`);
    const me = Symbol(name);
    const line = this.#lines.get(name) ?? [];
    this.#lines.set(name, line);
    line.push(me);
    try {
      for (;;) {
        signal?.throwIfAborted();
        const nap = this.#changes.nap(keyOf(name), lookMs, signal);
        try {
          const permit = line[0] === me ? await this.#take(name, limit, leaseMs) : undefined;
          if (permit && !signal?.aborted) return permit;
          if (permit) await permit.release();
          else await nap.over;
        } finally {
          nap.end();
        }
      }
    } finally {
      line.splice(line.indexOf(me), 1);
      if (line.length === 0) this.#lines.delete(name);
      this.#changes.announce(keyOf(name));
    }
  }

  /** Gives back everything held here. */
  async releaseAll(): Promise<void> {
    await Promise.all([...this.#held].map((permit) => permit.release()));
  }

  async #take(name: string, limit: number, leaseMs: number): Promise<Permit | undefined> {
    const isFull = (): boolean => this.#count.get(this.#environment, name, Date.now())!.places >= limit;
    // Whoever only waits leaves the write lock to those who work.
    if (await this.#database.read(isFull)) return undefined;
    const holder = randomUUID();
    const hold = (): number => this.#hold.run(this.#environment, name, holder, Date.now() + leaseMs);
    const taken = await this.#database.write(() => {
      this.#dropExpired.run(this.#environment, name, Date.now());
      return !isFull() && hold() === 1;
    });
    if (!taken) return undefined;
    // A renewal that comes too late takes its place again, beyond the limit if need be: the work does go on, and must count.
    // One that fails is made up for by the next.
    const renewal = setInterval(() => void this.#database.write(hold).catch(() => undefined), leaseMs / 3);
    renewal.unref();
    return this.#permit(name, holder, renewal);
  }

  #permit(name: string, holder: string, renewal: NodeJS.Timeout): Permit {
    let released: Promise<void> | undefined;
    const release = async (): Promise<void> => {
      this.#held.delete(permit);
      clearInterval(renewal);
      // A place that cannot be given back now is free when its lease ends.
      await this.#database.write(() => this.#drop.run(this.#environment, name, holder)).catch(() => undefined);
      this.#changes.announce(keyOf(name));
    };
    const permit: Permit = { release: () => (released ??= release()) };
    this.#held.add(permit);
    return permit;
  }
}

function keyOf(name: string): string {
  return `permits ${name}`;
}
