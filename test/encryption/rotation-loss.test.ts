/** Workers are killed while keys are being changed: what was begun under one key ends under the next. */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { connect, type OstinatoClient } from '../../src/client.js';
import { textOf } from '../../src/contract/message.js';
import { newKey } from '../../src/encryption/keys.js';
import { scriptedModel } from '../../src/testing/index.js';
import { failedTasksIn, historyOf } from '../support/history.js';
import { devServer, devServerConfig } from '../support/servers.js';
import { temporaryDirectory } from '../support/temporary.js';
import { WorkerProcess, writeBundle } from '../support/workers.js';

vi.setConfig({ testTimeout: 400_000 });

test('a run and a session, killed at each change of keys, lose nothing and ask nothing twice that was answered', async () => {
  await using directory = await temporaryDirectory();
  const environment = await devServer();
  const [a, b] = [newKey('a'), newKey('b')];
  const taskQueue = `rotation-loss-${randomUUID()}`;
  const bundle = await writeBundle(directory.path);
  const effects = join(directory.path, 'effects');
  await mkdir(effects);
  /** Holds whoever is to be lost. */
  const held = new Set<string>();
  await using model = await scriptedModel(({ model: name, messages }) =>
    held.delete(name) ? { hang: true } : `${name} heard ${String(messages.at(-1)?.content).split('\n').at(-1)}`,
  );
  const { address, namespace, dataDir } = devServerConfig({ dataDir: join(directory.path, 'data') });
  const workerWith = async (encryptionKeys: string): Promise<WorkerProcess> =>
    await WorkerProcess.start({
      name: randomUUID(),
      config: {
        address: address!,
        namespace: namespace!,
        dataDir,
        taskQueue,
        encryptionKeys,
        times: { model: { heartbeatMs: 5000 } },
        worker: { stickyTimeoutMs: 1000 },
      },
      baseURL: model.baseURL,
      bundle,
      effects,
    });
  const clientWith = async (encryptionKeys: string): Promise<OstinatoClient> =>
    await connect({ config: devServerConfig({ dataDir, taskQueue, encryptionKeys }), temporal: environment.client });
  const agents = ['ann', 'ben', 'cleo'].map((name) => ({ name, instructions: `You are ${name}.`, model: name }));
  const asked = () => agents.map(({ name }) => model.calls.filter((call) => call.model === name).length);

  let worker = await workerWith(a);
  const old = await clientWith(a);
  const sleeper = { name: 'dora', instructions: 'Answer.', model: 'dora' };
  const session = old.session(sleeper, 'tea', { options: { sleepAfter: '1 second' } });
  expect((await session.say('one')).reply).toBe('dora heard one');
  expect(await session.result()).toMatchObject({ stopReason: { code: 'asleep' } });
  held.add('ben').add('cleo');
  const { id } = await old.start('sequential', { agents, task: 'tea' });
  await vi.waitFor(() => expect(asked()).toEqual([1, 1, 0]), { timeout: 60_000 });
  await old.close();
  await worker.kill();

  // The new key encrypts from here on; the old one still decrypts.
  const both = [b, a].join();
  worker = await workerWith(both);
  await vi.waitFor(() => expect(asked()).toEqual([1, 2, 1]), { timeout: 120_000 });
  await worker.kill();

  worker = await workerWith(both);
  await using client = await clientWith(both);
  const run = client.attach(id);
  expect(await run.result({ timeout: '2 minutes' })).toMatchObject({ status: 'completed' });
  expect(asked()).toEqual([1, 2, 2]);
  expect((await run.transcript()).map(({ message }) => message.authorName ?? message.role)).toEqual(['user', 'ann', 'ben', 'cleo']);
  expect(failedTasksIn(await historyOf(environment, id, (await run.status()).firstRunId))).toEqual([]);

  await worker.dieAt('^loadSnapshot get after$');
  const waking = client.attach('session/dora/tea').say('two', { timeout: '2 minutes' });
  expect(await worker.ended).toBe('SIGKILL');
  worker = await workerWith(both);
  expect((await waking).reply).toBe('dora heard two');
  const words = (await client.attach('session/dora/tea').transcript()).map(({ message }) => textOf(message));
  expect(words).toEqual(['one', 'dora heard one', 'two', 'dora heard two']);
  await worker.kill();
});
