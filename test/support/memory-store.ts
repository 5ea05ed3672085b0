import { createHash } from 'node:crypto';
import type { Deletion, DeletionKey } from '../../src/contract/deletion.js';
import type { NewEvent, RunEvent } from '../../src/contract/event.js';
import type { SnapshotRecord } from '../../src/contract/snapshot.js';
import type { Environment, Store, Swept } from '../../src/store/store.js';

export interface MemoryStore extends Store {
  /** Everything put, by id. */
  readonly texts: Map<string, string>;
  /** Everything appended, doubles left out. */
  readonly appended: NewEvent[];
}

/** A store in memory, for tests that look into it or make it fail. */
export function memoryStore(environment: Environment = { namespace: 'default', taskQueue: 'ostinato' }): MemoryStore {
  const texts = new Map<string, string>();
  const appended: NewEvent[] = [];
  const doomed = new Map<string, number>();
  let listed: SnapshotRecord[] = [];
  const deletions = new Map<string, { deletion: Deletion; isBegun: boolean }>();
  const nameOf = ({ workflowId, conversationId = '' }: DeletionKey) => `${conversationId} ${workflowId}`;
  return {
    environment,
    texts,
    appended,
    blobs: {
      put: async (text) => {
        const id = createHash('sha256').update(text).digest('hex').slice(0, 32);
        texts.set(id, text);
        doomed.delete(id);
        return id;
      },
      get: async (id) => texts.get(id),
      collect: async (isReferenced, graceMs) => {
        const swept: Swept = { kept: 0, doomed: 0, deleted: 0, bytes: 0 };
        for (const [id, text] of [...texts]) {
          const since = doomed.get(id) ?? Infinity;
          if (isReferenced(id)) {
            doomed.delete(id);
            swept.kept += 1;
          } else if (since <= Date.now() - graceMs) {
            texts.delete(id);
            doomed.delete(id);
            swept.deleted += 1;
            swept.bytes += Buffer.byteLength(text);
          } else {
            doomed.set(id, Math.min(since, Date.now()));
            swept.doomed += 1;
          }
        }
        return swept;
      },
    },
    snapshots: {
      add: async (snapshot) => {
        if (!listed.some(({ id }) => id === snapshot.id)) listed.unshift(snapshot);
      },
      get: async (id) => listed.find((snapshot) => snapshot.id === id),
      list: async (workflowId, { limit = 100, reason, firstRunId } = {}) =>
        listed
          .filter((snapshot) => snapshot.workflowId === workflowId)
          .filter((snapshot) => reason === undefined || snapshot.reason === reason)
          .filter((snapshot) => firstRunId === undefined || snapshot.firstRunId === firstRunId)
          .slice(0, limit),
      all: async (after = '', limit = 100) =>
        listed
          .filter(({ id }) => id > after)
          .sort((a, b) => (a.id < b.id ? -1 : 1))
          .slice(0, limit),
      remove: async (ids) => void (listed = listed.filter(({ id }) => !ids.includes(id))),
    },
    events: {
      append: async (_, events) => {
        for (const event of events) if (!appended.some(({ key }) => key === event.key)) appended.push(event);
      },
      read: async (log, cursor) =>
        appended
          .map((event, i) => ({ ...event, seq: i + 1, epoch: 1, runId: log.workflowId }) as RunEvent)
          .filter(({ seq }) => seq > cursor.seq),
      end: async () => appended.length,
      logs: async () => [],
      remove: async () => appended.splice(0).length,
    },
    deletions: {
      schedule: async (deletion) => {
        const known = deletions.get(nameOf(deletion));
        if (known?.isBegun) return false;
        deletions.set(nameOf(deletion), { deletion, isBegun: false });
        return true;
      },
      withdraw: async (key) => {
        if (!deletions.get(nameOf(key))?.isBegun) deletions.delete(nameOf(key));
        return !deletions.has(nameOf(key));
      },
      begin: async (key, nowMs) => {
        const known = deletions.get(nameOf(key));
        if (!known || (!known.isBegun && Date.parse(known.deletion.dueAt) > nowMs)) return false;
        known.isBegun = true;
        return true;
      },
      save: async (deletion) => {
        const known = deletions.get(nameOf(deletion));
        if (known) known.deletion = deletion;
      },
      remove: async (key) => void deletions.delete(nameOf(key)),
      get: async (key) => deletions.get(nameOf(key))?.deletion,
      due: async (nowMs) => {
        const found = [...deletions.values()].map(({ deletion }) => deletion);
        return { deletions: found.filter(({ dueAt }) => Date.parse(dueAt) <= nowMs), unreadable: 0 };
      },
      outlook: async (nowMs) => {
        const times = [...deletions.values()].map(({ deletion }) => Date.parse(deletion.dueAt));
        const later = times.filter((time) => time > nowMs);
        return { count: times.length, ...(later.length > 0 && { nextMs: Math.min(...later) }) };
      },
    },
    scrub: async () => undefined,
    permits: { acquire: async () => ({ release: async () => undefined }) },
    close: async () => undefined,
  };
}
