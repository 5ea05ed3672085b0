/** Of two snapshots that are made for one purpose one stays on the list: the later by the run's clock, whenever it was written. */
import { expect, test } from 'vitest';
import type { Snapshot } from '../../src/contract/snapshot.js';
import { writeSnapshot } from '../../src/store/write-snapshot.js';
import { memoryStore } from '../support/memory-store.js';

const madeAt = (at: string, lastTurn: number): Snapshot => ({
  schemaVersion: '1.0.0',
  type: 'ostinato.snapshot',
  run: { workflowId: 'session/guide/me', firstRunId: 'first' },
  at,
  reason: 'asked',
  definition: { pattern: 'session', fingerprint: 'team', agents: ['guide'] },
  checkpoint: {} as Snapshot['checkpoint'],
  state: { lastTurn },
  members: {},
});
const write = async (store: ReturnType<typeof memoryStore>, document: Snapshot, key: string) =>
  await writeSnapshot(store, { document, head: null, segments: [], fresh: [], key });

const [early, late] = [madeAt('2026-01-01T10:00:00.000Z', 1), madeAt('2026-01-01T10:00:10.000Z', 2)];

test.each([
  ['in this order', [early, late]],
  ['by a worker that was thought to be lost, after the one that went on', [late, early]],
])('written %s', async (_, order) => {
  const store = memoryStore();
  const written = new Map<Snapshot, string>();
  for (const document of order) written.set(document, (await write(store, document, 'save-1')).id);

  expect((await store.snapshots.list('session/guide/me')).map(({ id }) => id)).toEqual([written.get(late)]);
});

test('for other purposes both stay', async () => {
  const store = memoryStore();
  await write(store, late, 'save-2');
  await write(store, early, 'save-1');

  expect(await store.snapshots.list('session/guide/me')).toHaveLength(2);
});
