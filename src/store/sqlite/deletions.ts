import type { Deletion, DeletionKey } from '../../contract/deletion.js';
import { readDue } from '../deletions.js';
import type { Packing } from '../packing.js';
import type { DeletionList, DueDeletions } from '../store.js';
import type { Database, SqlValue, Statement } from './database.js';

/** An entry that was acknowledged is on the disk: what is on this list is deleted, whatever happens. */
export class SqliteDeletions implements DeletionList {
  readonly #database: Database;
  readonly #environment: number;
  readonly #packing: Packing;
  readonly #schedule: Statement<never>;
  readonly #save: Statement<never>;
  readonly #begin: Statement<never>;
  readonly #remove: Statement<never>;
  readonly #withdraw: Statement<never>;
  readonly #get: Statement<{ deletion: string; begun: number }>;
  readonly #due: Statement<{ deletion: string }>;
  readonly #outlook: Statement<{ count: number; next: number | null }>;

  constructor(database: Database, environment: number, packing: Packing) {
    this.#database = database;
    this.#environment = environment;
    this.#packing = packing;
    const add = `INSERT INTO deletions (environment, key, due, deletion) VALUES (?1, ?2, ?3, ?4)
      ON CONFLICT DO UPDATE SET due = ?3, deletion = ?4`;
    this.#schedule = database.prepare(`${add} WHERE begun = 0`);
    this.#save = database.prepare('UPDATE deletions SET due = ?3, deletion = ?4 WHERE environment = ?1 AND key = ?2');
    this.#begin = database.prepare('UPDATE deletions SET begun = 1 WHERE environment = ? AND key = ? AND (begun = 1 OR due <= ?)');
    this.#remove = database.prepare('DELETE FROM deletions WHERE environment = ? AND key = ?');
    this.#withdraw = database.prepare('DELETE FROM deletions WHERE environment = ? AND key = ? AND begun = 0');
    this.#get = database.prepare('SELECT deletion, begun FROM deletions WHERE environment = ? AND key = ?');
    this.#due = database.prepare('SELECT deletion FROM deletions WHERE environment = ? AND due <= ? ORDER BY due LIMIT ?');
    this.#outlook = database.prepare(
      'SELECT count(*) AS count, min(CASE WHEN due > ?2 THEN due END) AS next FROM deletions WHERE environment = ?1',
    );
  }

  async schedule(deletion: Deletion): Promise<boolean> {
    return (await this.#write(this.#schedule, ...this.#row(deletion))) > 0;
  }

  async withdraw(key: DeletionKey): Promise<boolean> {
    const place = [this.#environment, keyOf(key)] as const;
    return await this.#database.write(() => this.#withdraw.run(...place) > 0 || this.#get.get(...place) === undefined, { durable: true });
  }

  async begin(key: DeletionKey, nowMs: number): Promise<boolean> {
    return (await this.#write(this.#begin, this.#environment, keyOf(key), nowMs)) > 0;
  }

  async save(deletion: Deletion): Promise<void> {
    await this.#write(this.#save, ...this.#row(deletion));
  }

  async remove(key: DeletionKey): Promise<void> {
    await this.#write(this.#remove, this.#environment, keyOf(key));
  }

  async get(key: DeletionKey): Promise<Deletion | undefined> {
    const found = await this.#database.read(() => this.#get.get(this.#environment, keyOf(key)));
    return found && (this.#packing.read(found.deletion, 'deletion') as Deletion);
  }

  async due(nowMs: number, limit = 100): Promise<DueDeletions> {
    return readDue(await this.#database.read(() => this.#due.all(this.#environment, nowMs, limit)), this.#packing);
  }

  async outlook(nowMs: number): Promise<{ count: number; nextMs?: number }> {
    const { count, next } = await this.#database.read(() => this.#outlook.get(this.#environment, nowMs)!);
    return { count, ...(next !== null && { nextMs: next }) };
  }

  #row(deletion: Deletion): SqlValue[] {
    return [this.#environment, keyOf(deletion), Date.parse(deletion.dueAt), this.#packing.write(deletion, 'deletion')];
  }

  async #write(statement: Statement<never>, ...values: SqlValue[]): Promise<number> {
    return await this.#database.write(() => statement.run(...values), { durable: true });
  }
}

function keyOf({ workflowId, conversationId = '' }: DeletionKey): string {
  return JSON.stringify([workflowId, conversationId]);
}
