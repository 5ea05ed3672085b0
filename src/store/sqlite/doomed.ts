import type { Found, Sweep } from '../sweep.js';
import { sweptAtOnce } from '../sweep.js';
import type { Database, Statement } from './database.js';

/** By SQLite's clock, in milliseconds. */
const now = `CAST(unixepoch('subsec') * 1000 AS INTEGER)`;

/** Blobs that nothing refers to, on their way out. What is lost of it in a power cut only makes them stay longer. */
export class SqliteDoomed {
  readonly #database: Database;
  readonly #environment: number;
  readonly #page: Statement<Found>;
  readonly #doom: Statement<never>;
  readonly #spare: Statement<never>;
  readonly #takeDue: Statement<never>;
  readonly #size: Statement<{ bytes: number }>;
  readonly #delete: Statement<never>;

  constructor(database: Database, environment: number) {
    this.#database = database;
    this.#environment = environment;
    this.#page = database.prepare(`
      SELECT id, CASE WHEN since IS NULL THEN 'alive' WHEN since <= ${now} - ? THEN 'due' ELSE 'doomed' END AS fate
      FROM blobs LEFT JOIN doomed USING (environment, id) WHERE environment = ? AND id > ? ORDER BY id LIMIT ?`);
    this.#doom = database.prepare(`
      INSERT INTO doomed (environment, id, since) SELECT environment, id, ${now} FROM blobs WHERE environment = ? AND id = ?
      ON CONFLICT DO NOTHING`);
    this.#spare = database.prepare('DELETE FROM doomed WHERE environment = ? AND id = ?');
    this.#takeDue = database.prepare(`DELETE FROM doomed WHERE environment = ? AND id = ? AND since <= ${now} - ?`);
    this.#size = database.prepare('SELECT length(content) AS bytes FROM blobs WHERE environment = ? AND id = ?');
    this.#delete = database.prepare('DELETE FROM blobs WHERE environment = ? AND id = ?');
  }

  /** Inside of a write. */
  spare(id: string): void {
    this.#spare.run(this.#environment, id);
  }

  sweep(graceMs: number): Sweep {
    const environment = this.#environment;
    // One write each: they share transactions, but none holds the file for the time that many take.
    const each = <T>(ids: string[], work: (id: string) => T): Promise<T[]> =>
      Promise.all(ids.map((id) => this.#database.write(() => work(id))));
    return {
      page: (after) => this.#database.read(() => this.#page.all(graceMs, environment, after, sweptAtOnce)),
      doom: (ids) => each(ids, (id) => this.#doom.run(environment, id)),
      spare: (ids) => each(ids, (id) => this.spare(id)),
      delete: async (ids) => {
        const sizes = await each(ids, (id) => this.#remove(id, graceMs));
        const deleted = sizes.filter((bytes) => bytes !== undefined);
        return { deleted: deleted.length, bytes: deleted.reduce((sum, bytes) => sum + bytes, 0) };
      },
    };
  }

  /** Who puts the text takes the mark away first, in a transaction of its own: then it is not deleted. */
  #remove(id: string, graceMs: number): number | undefined {
    if (this.#takeDue.run(this.#environment, id, graceMs) === 0) return undefined;
    const bytes = this.#size.get(this.#environment, id)?.bytes;
    this.#delete.run(this.#environment, id);
    return bytes;
  }
}
