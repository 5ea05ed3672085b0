import type { Deletion, DeletionKey } from '../../contract/deletion.js';
import { readDue } from '../deletions.js';
import type { Packing } from '../packing.js';
import type { DeletionList, DueDeletions } from '../store.js';
import type { Database, SqlValue } from './database.js';
import { keyOf } from './names.js';

/** Times are those that callers give: nobody's own clock decides what is due. */
export class PostgresDeletions implements DeletionList {
  readonly #database: Database;
  readonly #environment: number;
  readonly #packing: Packing;

  constructor(database: Database, environment: number, packing: Packing) {
    this.#database = database;
    this.#environment = environment;
    this.#packing = packing;
  }

  async schedule(deletion: Deletion): Promise<boolean> {
    const changed = await this.#database.query(
      `INSERT INTO ostinato.deletions AS d (environment, key, due, deletion) VALUES ($1, $2, $3::timestamptz, $4)
       ON CONFLICT (environment, key) DO UPDATE SET due = excluded.due, deletion = excluded.deletion WHERE NOT d.begun RETURNING 1`,
      this.#row(deletion),
    );
    return changed.length > 0;
  }

  async withdraw(key: DeletionKey): Promise<boolean> {
    await this.#database.query('DELETE FROM ostinato.deletions WHERE environment = $1 AND key = $2 AND NOT begun', this.#place(key));
    // One that was on the list a moment ago has begun, or is gone.
    return (await this.#find(key)) === undefined;
  }

  async begin(key: DeletionKey, nowMs: number): Promise<boolean> {
    const begun = await this.#database.query(
      `UPDATE ostinato.deletions SET begun = true
       WHERE environment = $1 AND key = $2 AND (begun OR due <= $3::timestamptz) RETURNING 1`,
      [...this.#place(key), timeOf(nowMs)],
    );
    return begun.length > 0;
  }

  async save(deletion: Deletion): Promise<void> {
    await this.#database.query(
      'UPDATE ostinato.deletions SET due = $3::timestamptz, deletion = $4 WHERE environment = $1 AND key = $2',
      this.#row(deletion),
    );
  }

  async remove(key: DeletionKey): Promise<void> {
    await this.#database.query('DELETE FROM ostinato.deletions WHERE environment = $1 AND key = $2', this.#place(key));
  }

  async get(key: DeletionKey): Promise<Deletion | undefined> {
    const text = await this.#find(key);
    return text === undefined ? undefined : (this.#packing.read(text, 'deletion') as Deletion);
  }

  async due(nowMs: number, limit = 100): Promise<DueDeletions> {
    const rows = await this.#database.query<{ deletion: string }>(
      'SELECT deletion FROM ostinato.deletions WHERE environment = $1 AND due <= $2::timestamptz ORDER BY due LIMIT $3',
      [this.#environment, timeOf(nowMs), limit],
    );
    return readDue(rows, this.#packing);
  }

  async outlook(nowMs: number): Promise<{ count: number; nextMs?: number }> {
    const [row] = await this.#database.query<{ count: string; next: Date | null }>(
      'SELECT count(*) AS count, min(due) FILTER (WHERE due > $2::timestamptz) AS next FROM ostinato.deletions WHERE environment = $1',
      [this.#environment, timeOf(nowMs)],
    );
    const { count, next } = row!;
    return { count: Number(count), ...(next && { nextMs: next.getTime() }) };
  }

  #place(key: DeletionKey): SqlValue[] {
    return [this.#environment, keyOf(key.workflowId, key.conversationId ?? '')];
  }

  #row(deletion: Deletion): SqlValue[] {
    return [...this.#place(deletion), deletion.dueAt, this.#packing.write(deletion, 'deletion')];
  }

  async #find(key: DeletionKey): Promise<string | undefined> {
    const [found] = await this.#database.query<{ deletion: string }>(
      'SELECT deletion FROM ostinato.deletions WHERE environment = $1 AND key = $2',
      this.#place(key),
    );
    return found?.deletion;
  }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
