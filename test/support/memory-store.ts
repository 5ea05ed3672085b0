import { createHash } from 'node:crypto';
import type { NewEvent, RunEvent } from '../../src/contract/event.js';
import type { SnapshotRecord } from '../../src/contract/snapshot.js';
import type { Environment, Store } from '../../src/store/store.js';

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
  let listed: SnapshotRecord[] = [];
  return {
    environment,
    texts,
    appended,
    blobs: {
      put: async (text) => {
        const id = createHash('sha256').update(text).digest('hex').slice(0, 32);
        texts.set(id, text);
        return id;
      },
      get: async (id) => texts.get(id),
    },
    snapshots: {
      add: async (snapshot) => {
        if (!listed.some(({ id }) => id === snapshot.id)) listed.unshift(snapshot);
      },
      get: async (id) => listed.find((snapshot) => snapshot.id === id),
      list: async (workflowId, { limit = 100 } = {}) => listed.filter((snapshot) => snapshot.workflowId === workflowId).slice(0, limit),
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
    },
    permits: { acquire: async () => ({ release: async () => undefined }) },
    close: async () => undefined,
  };
}
