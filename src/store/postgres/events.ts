import type { EventLogKey, NewEvent, RunEvent } from '../../contract/event.js';
import { eventsKey } from '../changes.js';
import type { Changes } from '../changes.js';
import type { Packing } from '../packing.js';
import type { EventCursor, EventLog, ReadEvents } from '../store.js';
import type { Database } from './database.js';
import { keyOf, readable } from './names.js';

interface Append {
  events: readonly NewEvent[];
  owner: EventLogKey | undefined;
  resolve(): void;
  reject(error: unknown): void;
}

const removedAtOnce = 1000;
const mostRemembered = 10_000;

export class PostgresEventLog implements EventLog {
  readonly #database: Database;
  readonly #changes: Changes;
  readonly #environment: number;
  readonly #packing: Packing;
  readonly #waiting = new Map<string, Append[]>();
  /** Logs whose owner is written down. */
  readonly #owned = new Set<string>();

  constructor(database: Database, changes: Changes, environment: number, packing: Packing) {
    this.#database = database;
    this.#changes = changes;
    this.#environment = environment;
    this.#packing = packing;
  }

  async append(log: EventLogKey, events: readonly NewEvent[], owner?: EventLogKey): Promise<void> {
    if (events.length === 0) return;
    const key = eventsKey(log);
    await new Promise<void>((resolve, reject) => {
      const append = { events, owner, resolve, reject };
      const waiting = this.#waiting.get(key);
      // One log takes one batch at a time: who comes meanwhile shares the next, instead of a connection each to wait on a lock.
      if (waiting) return void waiting.push(append);
      this.#waiting.set(key, [append]);
      void this.#appendAll(log, key);
    });
  }

  async read(log: EventLogKey, cursor: EventCursor, { limit = 500, waitMs = 0, signal }: ReadEvents = {}): Promise<RunEvent[]> {
    const some = async (): Promise<RunEvent[] | undefined> => {
      const events = await this.#after(log, cursor, limit);
      return events.length > 0 ? events : undefined;
    };
    return (await this.#changes.until(eventsKey(log), waitMs, signal, some)) ?? [];
  }

  async end(log: EventLogKey): Promise<number> {
    const [found] = await this.#database.query<{ last_seq: number }>(
      'SELECT last_seq FROM ostinato.logs WHERE environment = $1 AND key = $2',
      [this.#environment, keyOf(log.workflowId, log.firstRunId)],
    );
    return found?.last_seq ?? 0;
  }

  async logs(of: { workflowId: string } | { owner: EventLogKey }): Promise<EventLogKey[]> {
    const [where, value] =
      'owner' in of
        ? ['owner = $2', keyOf(of.owner.workflowId, of.owner.firstRunId)]
        : ['hashtextextended(workflow_id, 0) = hashtextextended($2, 0) AND workflow_id = $2', readable(of.workflowId)];
    const rows = await this.#database.query<{ workflow_id: string; first_run_id: string }>(
      `SELECT workflow_id, first_run_id FROM ostinato.logs WHERE environment = $1 AND ${where as string}`,
      [this.#environment, value as string],
    );
    return rows.map(({ workflow_id: workflowId, first_run_id: firstRunId }) => ({ workflowId, firstRunId }));
  }

  async remove({ workflowId, firstRunId }: EventLogKey): Promise<number> {
    const place = [this.#environment, keyOf(workflowId, firstRunId)];
    let removed = 0;
    for (;;) {
      // A log may be long: no statement should take longer than its time.
      const some = await this.#database.query(
        `DELETE FROM ostinato.events WHERE (log, seq) IN (
           SELECT log, seq FROM ostinato.events
           WHERE log = (SELECT id FROM ostinato.logs WHERE environment = $1 AND key = $2) ORDER BY seq LIMIT $3
         ) RETURNING 1`,
        [...place, removedAtOnce],
      );
      removed += some.length;
      if (some.length < removedAtOnce) break;
    }
    await this.#database.query('DELETE FROM ostinato.logs WHERE environment = $1 AND key = $2', place);
    return removed;
  }

  async #appendAll(log: EventLogKey, key: string): Promise<void> {
    const waiting = this.#waiting.get(key)!;
    while (waiting.length > 0) {
      const batch = waiting.splice(0);
      try {
        await this.#add(
          log,
          batch.flatMap(({ events }) => events),
        );
        const owner = batch.find((append) => append.owner)?.owner;
        if (owner && !this.#owned.has(key)) await this.#own(log, key, owner);
        this.#changes.publish(key);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#waiting.delete(key);
  }

  async #add({ workflowId, firstRunId }: EventLogKey, events: readonly NewEvent[]): Promise<void> {
    await this.#database.query('SELECT ostinato.append_events($1, $2, $3, $4, $5, $6)', [
      this.#environment,
      keyOf(workflowId, firstRunId),
      readable(workflowId),
      readable(firstRunId),
      events.map(({ key }) => keyOf(key)),
      events.map(({ key: _, ...event }) => this.#packing.write(event, 'event')),
    ]);
  }

  /** Once for each log: which other log it is deleted with. */
  async #own({ workflowId, firstRunId }: EventLogKey, key: string, owner: EventLogKey): Promise<void> {
    await this.#database.query('UPDATE ostinato.logs SET owner = $3 WHERE environment = $1 AND key = $2 AND owner IS NULL', [
      this.#environment,
      keyOf(workflowId, firstRunId),
      keyOf(owner.workflowId, owner.firstRunId),
    ]);
    if (this.#owned.size >= mostRemembered) this.#owned.clear();
    this.#owned.add(key);
  }

  async #after({ workflowId, firstRunId }: EventLogKey, { epoch, seq }: EventCursor, limit: number): Promise<RunEvent[]> {
    const rows = await this.#database.query<{ seq: number; epoch: number; event: string }>(
      // Numbers have no gaps: with both ends given, no plan reads more than the page, however little is known about the table.
      `WITH log AS MATERIALIZED (
         SELECT id, epoch, CASE WHEN epoch = $3 THEN $4::integer ELSE 0 END AS seen
         FROM ostinato.logs WHERE environment = $1 AND key = $2
       )
       SELECT seq, (SELECT epoch FROM log) AS epoch, event FROM ostinato.events
       WHERE log = (SELECT id FROM log) AND seq > (SELECT seen FROM log) AND seq <= (SELECT seen FROM log) + $5::bigint
       ORDER BY seq`,
      [this.#environment, keyOf(workflowId, firstRunId), epoch, seq, limit],
    );
    return rows.map(
      (row) => ({ ...this.#packing.read(row.event, 'event'), seq: row.seq, epoch: row.epoch, runId: workflowId }) as RunEvent,
    );
  }
}
