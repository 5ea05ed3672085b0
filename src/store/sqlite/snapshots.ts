import type { SnapshotRecord } from '../../contract/snapshot.js';
import type { Packing } from '../packing.js';
import { madeFor } from '../snapshot-list.js';
import type { ListSnapshots, SnapshotIndex } from '../store.js';
import type { Database, Statement } from './database.js';

/** A snapshot that was acknowledged is on the disk, like the blob that it names. */
export class SqliteSnapshots implements SnapshotIndex {
  readonly #database: Database;
  readonly #environment: number;
  readonly #packing: Packing;
  readonly #add: Statement<never>;
  readonly #get: Statement<{ record: string }>;
  readonly #list: Statement<{ record: string }>;
  readonly #made: Statement<{ record: string }>;
  readonly #all: Statement<{ record: string }>;
  readonly #remove: Statement<never>;

  constructor(database: Database, environment: number, packing: Packing) {
    this.#database = database;
    this.#environment = environment;
    this.#packing = packing;
    this.#add = database.prepare(
      'INSERT INTO snapshots (environment, id, workflow_id, reason, first_run_id, record) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (environment, id) DO NOTHING',
    );
    this.#get = database.prepare('SELECT record FROM snapshots WHERE environment = ? AND id = ?');
    this.#list = database.prepare('SELECT record FROM snapshots WHERE environment = ? AND workflow_id = ? ORDER BY ordinal DESC LIMIT ?');
    this.#made = database.prepare(`
      SELECT record FROM (
        SELECT * FROM (
          SELECT ordinal, record FROM snapshots
          WHERE environment = ? AND workflow_id = ? AND reason = ? AND ? IN ('', first_run_id) ORDER BY ordinal DESC LIMIT ?
        )
        UNION ALL SELECT ordinal, record FROM snapshots WHERE environment = ? AND workflow_id = ? AND reason IS NULL
      ) ORDER BY ordinal DESC`);
    this.#all = database.prepare('SELECT record FROM snapshots WHERE environment = ? AND id > ? ORDER BY id LIMIT ?');
    this.#remove = database.prepare('DELETE FROM snapshots WHERE environment = ? AND id = ?');
  }

  async add(snapshot: SnapshotRecord): Promise<void> {
    const { id, workflowId, reason, firstRunId } = snapshot;
    const record = this.#packing.write(snapshot, 'snapshot');
    await this.#database.write(() => this.#add.run(this.#environment, id, workflowId, reason, firstRunId, record), { durable: true });
  }

  async get(id: string): Promise<SnapshotRecord | undefined> {
    const found = await this.#database.read(() => this.#get.get(this.#environment, id));
    return found && this.#record(found);
  }

  async list(workflowId: string, { limit = 100, reason, firstRunId }: ListSnapshots = {}): Promise<SnapshotRecord[]> {
    if (reason !== undefined) {
      const run = [this.#environment, workflowId] as const;
      const made = await this.#database.read(() => this.#made.all(...run, reason, firstRunId ?? '', limit, ...run));
      return madeFor(
        made.map((row) => this.#record(row)),
        { limit, reason, firstRunId },
      );
    }
    const rows = await this.#database.read(() => this.#list.all(this.#environment, workflowId, limit));
    return rows.map((row) => this.#record(row));
  }

  async all(after = '', limit = 100): Promise<SnapshotRecord[]> {
    const rows = await this.#database.read(() => this.#all.all(this.#environment, after, limit));
    return rows.map((row) => this.#record(row));
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.#database.write(() => ids.forEach((id) => this.#remove.run(this.#environment, id)), { durable: true });
  }

  #record({ record }: { record: string }): SnapshotRecord {
    return this.#packing.read(record, 'snapshot') as SnapshotRecord;
  }
}
