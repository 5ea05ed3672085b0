import type { SnapshotRecord } from '../../contract/snapshot.js';
import type { Packing } from '../packing.js';
import { madeFor } from '../snapshot-list.js';
import type { ListSnapshots, SnapshotIndex } from '../store.js';
import type { Database } from './database.js';
import { keyOf } from './names.js';

/** A snapshot that was acknowledged is on the server's disk, like the blob that it names. */
export class PostgresSnapshots implements SnapshotIndex {
  readonly #database: Database;
  readonly #environment: number;
  readonly #packing: Packing;

  constructor(database: Database, environment: number, packing: Packing) {
    this.#database = database;
    this.#environment = environment;
    this.#packing = packing;
  }

  async add(snapshot: SnapshotRecord): Promise<void> {
    const { id, workflowId, reason, firstRunId } = snapshot;
    await this.#database.query(
      `INSERT INTO ostinato.snapshots (environment, key, run, reason, first_run, record) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (environment, key) DO NOTHING`,
      [this.#environment, keyOf(id), keyOf(workflowId), reason, keyOf(firstRunId), this.#packing.write(snapshot, 'snapshot')],
    );
  }

  async get(id: string): Promise<SnapshotRecord | undefined> {
    const [found] = await this.#database.query<{ record: string }>(
      'SELECT record FROM ostinato.snapshots WHERE environment = $1 AND key = $2',
      [this.#environment, keyOf(id)],
    );
    return found && this.#record(found);
  }

  async list(workflowId: string, { limit = 100, reason, firstRunId }: ListSnapshots = {}): Promise<SnapshotRecord[]> {
    if (reason !== undefined) {
      const made = await this.#database.query<{ record: string }>(
        `SELECT record FROM (
          (SELECT ordinal, record FROM ostinato.snapshots
            WHERE environment = $1 AND run = $2 AND reason = $3 AND $4::bytea IN ('', first_run) ORDER BY ordinal DESC LIMIT $5)
          UNION ALL SELECT ordinal, record FROM ostinato.snapshots WHERE environment = $1 AND run = $2 AND reason IS NULL
        ) AS made ORDER BY ordinal DESC`,
        [this.#environment, keyOf(workflowId), reason, firstRunId === undefined ? Buffer.alloc(0) : keyOf(firstRunId), limit],
      );
      return madeFor(
        made.map((row) => this.#record(row)),
        { limit, reason, firstRunId },
      );
    }
    const rows = await this.#database.query<{ record: string }>(
      'SELECT record FROM ostinato.snapshots WHERE environment = $1 AND run = $2 ORDER BY ordinal DESC LIMIT $3',
      [this.#environment, keyOf(workflowId), limit],
    );
    return rows.map((row) => this.#record(row));
  }

  async all(after?: string, limit = 100): Promise<SnapshotRecord[]> {
    const rows = await this.#database.query<{ record: string }>(
      'SELECT record FROM ostinato.snapshots WHERE environment = $1 AND key > $2 ORDER BY key LIMIT $3',
      [this.#environment, after === undefined ? Buffer.alloc(0) : keyOf(after), limit],
    );
    return rows.map((row) => this.#record(row));
  }

  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#database.query('DELETE FROM ostinato.snapshots WHERE environment = $1 AND key = ANY ($2::bytea[])', [
      this.#environment,
      ids.map((id) => keyOf(id)),
    ]);
  }

  #record({ record }: { record: string }): SnapshotRecord {
    return this.#packing.read(record, 'snapshot') as SnapshotRecord;
  }
}
