import type { EventLogKey, NewEvent, RunEvent } from '../../contract/event.js';
import { eventsKey, type Changes } from '../changes.js';
import type { Packing } from '../packing.js';
import type { EventCursor, EventLog, ReadEvents } from '../store.js';
import type { Database, Statement } from './database.js';

/** Events are many and no run depends on them: they survive the end of a process, but a power cut may take the last ones. */
export class SqliteEventLog implements EventLog {
  readonly #database: Database;
  readonly #changes: Changes;
  readonly #environment: number;
  readonly #packing: Packing;
  readonly #findLog: Statement<{ id: number; last_seq: number }>;
  readonly #addLog: Statement<{ id: number; last_seq: number }>;
  readonly #addEvent: Statement<never>;
  readonly #setLast: Statement<never>;
  readonly #own: Statement<never>;
  readonly #logsOf: Statement<LogRow>;
  readonly #logsOwned: Statement<LogRow>;
  readonly #forgetSome: Statement<never>;
  readonly #forgetLog: Statement<never>;
  readonly #read: Statement<{ seq: number; epoch: number; event: string }>;

  constructor(database: Database, changes: Changes, environment: number, packing: Packing) {
    this.#database = database;
    this.#changes = changes;
    this.#environment = environment;
    this.#packing = packing;
    this.#findLog = database.prepare('SELECT id, last_seq FROM logs WHERE environment = ? AND workflow_id = ? AND first_run_id = ?');
    this.#addLog = database.prepare('INSERT INTO logs (environment, workflow_id, first_run_id) VALUES (?, ?, ?) RETURNING id, last_seq');
    this.#addEvent = database.prepare('INSERT INTO events (log, seq, key, event) VALUES (?, ?, ?, ?) ON CONFLICT (log, key) DO NOTHING');
    this.#setLast = database.prepare('UPDATE logs SET last_seq = ? WHERE id = ?');
    this.#own = database.prepare('UPDATE logs SET owner = ? WHERE id = ? AND owner IS NULL');
    const logs = 'SELECT workflow_id, first_run_id FROM logs WHERE environment = ? AND';
    this.#logsOf = database.prepare(`${logs} workflow_id = ?`);
    this.#logsOwned = database.prepare(`${logs} owner = ?`);
    this.#forgetSome = database.prepare('DELETE FROM events WHERE log = ?1 AND seq IN (SELECT seq FROM events WHERE log = ?1 LIMIT ?2)');
    this.#forgetLog = database.prepare('DELETE FROM logs WHERE id = ?');
    this.#read = database.prepare(`
      SELECT events.seq, logs.epoch, events.event
      FROM logs JOIN events ON events.log = logs.id
      WHERE logs.environment = ? AND logs.workflow_id = ? AND logs.first_run_id = ?
        AND events.seq > CASE WHEN logs.epoch = ? THEN ? ELSE 0 END
      ORDER BY events.seq LIMIT ?`);
  }

  async append(log: EventLogKey, events: readonly NewEvent[], owner?: EventLogKey): Promise<void> {
    if (events.length === 0) return;
    const rows = events.map(({ key, ...event }) => ({ key, json: this.#packing.write(event, 'event') }));
    await this.#database.write(() => {
      const place = [this.#environment, log.workflowId, log.firstRunId] as const;
      const { id, last_seq: last } = this.#findLog.get(...place) ?? this.#addLog.get(...place)!;
      if (owner) this.#own.run(nameOf(owner), id);
      let seq = last;
      for (const { key, json } of rows) seq += this.#addEvent.run(id, seq + 1, key, json);
      if (seq > last) this.#setLast.run(seq, id);
    });
    this.#changes.publish(eventsKey(log));
  }

  async read(log: EventLogKey, cursor: EventCursor, { limit = 500, waitMs = 0, signal }: ReadEvents = {}): Promise<RunEvent[]> {
    const some = async (): Promise<RunEvent[] | undefined> => {
      const events = await this.#after(log, cursor, limit);
      return events.length > 0 ? events : undefined;
    };
    return (await this.#changes.until(eventsKey(log), waitMs, signal, some)) ?? [];
  }

  async end({ workflowId, firstRunId }: EventLogKey): Promise<number> {
    const found = await this.#database.read(() => this.#findLog.get(this.#environment, workflowId, firstRunId));
    return found?.last_seq ?? 0;
  }

  async logs(of: { workflowId: string } | { owner: EventLogKey }): Promise<EventLogKey[]> {
    const rows = await this.#database.read(() =>
      'owner' in of ? this.#logsOwned.all(this.#environment, nameOf(of.owner)) : this.#logsOf.all(this.#environment, of.workflowId),
    );
    return rows.map(({ workflow_id: workflowId, first_run_id: firstRunId }) => ({ workflowId, firstRunId }));
  }

  async remove({ workflowId, firstRunId }: EventLogKey): Promise<number> {
    let removed = 0;
    for (;;) {
      // A log may be long: nobody else should have to wait for all of it.
      const some = await this.#database.write(
        () => {
          const log = this.#findLog.get(this.#environment, workflowId, firstRunId);
          const count = log ? this.#forgetSome.run(log.id, removedAtOnce) : 0;
          if (log && count < removedAtOnce) this.#forgetLog.run(log.id);
          return count;
        },
        { durable: true },
      );
      removed += some;
      if (some < removedAtOnce) return removed;
    }
  }

  async #after({ workflowId, firstRunId }: EventLogKey, { epoch, seq }: EventCursor, limit: number): Promise<RunEvent[]> {
    const rows = await this.#database.read(() => this.#read.all(this.#environment, workflowId, firstRunId, epoch, seq, limit));
    return rows.map(
      (row) => ({ ...this.#packing.read(row.event, 'event'), seq: row.seq, epoch: row.epoch, runId: workflowId }) as RunEvent,
    );
  }
}

interface LogRow {
  workflow_id: string;
  first_run_id: string;
}

const removedAtOnce = 500;

function nameOf({ workflowId, firstRunId }: EventLogKey): string {
  return JSON.stringify([workflowId, firstRunId]);
}
