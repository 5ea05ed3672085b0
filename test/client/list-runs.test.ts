import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { expect, test, vi } from 'vitest';
import { OstinatoClient } from '../../src/client.js';
import { clientDataConverter } from '../../src/encryption/data-converter.js';
import { newKey, readKeys } from '../../src/encryption/keys.js';
import { memoryStore } from '../support/memory-store.js';
import { devServer } from '../support/servers.js';

test('a run whose memo is encrypted with a key that is not here is listed, and the others with what they tell', async () => {
  const environment = await devServer();
  const { connection, namespace } = environment.client.options;
  const taskQueue = `listed-${randomUUID()}`;
  const [ours, theirs] = ['ours', 'theirs'].map((id) => {
    const keys = readKeys(newKey(id), (problem) => expect.fail(problem));
    return new Client({ connection, namespace, dataConverter: clientDataConverter(keys) });
  }) as [Client, Client];
  const memo = { orchestration: 'article', agents: ['clerk'], status: 'running' };
  const runs = await Promise.all(
    [ours, theirs].map((client, i) => client.workflow.start('sequential', { taskQueue, workflowId: `${taskQueue}/${i}`, memo })),
  );
  const client = new OstinatoClient({ temporal: ours, store: memoryStore(), taskQueue }, async () => undefined);

  const listed = await vi.waitFor(
    async () => {
      const found = await client.list({ status: 'open' });
      expect(found).toHaveLength(2);
      return found.sort((x, y) => (x.id < y.id ? -1 : 1));
    },
    { timeout: 60_000, interval: 200 },
  );

  expect(listed).toMatchObject([
    { id: `${taskQueue}/0`, status: 'running', orchestration: 'article', agents: ['clerk'] },
    { id: `${taskQueue}/1`, status: 'running', pattern: 'sequential', unreadable: true },
  ]);
  expect(listed[0]).not.toHaveProperty('unreadable');
  for (const run of runs) await run.terminate();
  await environment.teardown();
});
