import { createHash } from 'node:crypto';
import type { NewEvent, RunEvent } from '../../src/contract/event.js';
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
