import { randomUUID } from 'node:crypto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunHandle } from '../../src/client.js';
import { prepareNamespace } from '../../src/dev/namespace.js';
import { textOf } from '../../src/index.js';
import { devServer, temporalForTests } from '../support/servers.js';
import { openStage, type Stage } from '../support/stage.js';
import { temporaryDirectory } from '../support/temporary.js';

/** Namespace and task queue by name: two that share a namespace, one with a namespace and the same queue. */
const environments = {
  dev: ['default', 'east'],
  staging: ['default', 'west'],
  production: [`production-${randomUUID()}`, 'east'],
} as const;
type Name = keyof typeof environments;
const names = Object.keys(environments) as Name[];

const suffix = randomUUID();
const opened: AsyncDisposable[] = [];
const stages = {} as { [name in Name]: Stage };
beforeAll(async () => {
  const directory = await temporaryDirectory();
  const { address } = temporalForTests();
  await prepareNamespace(address, environments.production[0]);
  const temporals = {
    default: await devServer(),
    production: await TestWorkflowEnvironment.createFromExistingServer({ address, namespace: environments.production[0] }),
  };
  opened.push(directory, ...Object.values(temporals).map((temporal) => ({ [Symbol.asyncDispose]: () => temporal.teardown() })));
  for (const name of names) {
    const [namespace, queue] = environments[name];
    const environment = namespace === 'default' ? temporals.default : temporals.production;
    stages[name] = await openStage({ environment, config: { dataDir: directory.path, taskQueue: `${queue}-${suffix}` } });
    opened.push(stages[name]);
  }
});
afterAll(async () => {
  for (const resource of opened.reverse()) await resource[Symbol.asyncDispose]();
});

async function play(name: Name, id: string): Promise<RunHandle> {
  const { agent } = stages[name].actor([{ chunks: [`words of ${name} `.repeat(200)] }], { name: 'speaker' });
  const run = await stages[name].world.client.start('sequential', { agents: [agent], task: `for ${name}` }, { id });
  await run.result();
  return run;
}

async function eventsOf(run: RunHandle): Promise<string> {
  const events = [];
  for await (const event of run.watch()) events.push(event);
  return JSON.stringify(events);
}

describe('two environments over one data directory, on two namespaces,', () => {
  test('have runs, words and events of their own under the same id', async () => {
    const id = `same-${randomUUID()}`;
    const runs = { dev: await play('dev', id), production: await play('production', id) };

    for (const [name, other] of [
      ['dev', 'production'],
      ['production', 'dev'],
    ] as const) {
      expect((await runs[name].transcript()).map(({ message }) => textOf(message)).join()).not.toContain(other);
      const events = await eventsOf(runs[name]);
      expect(events).toContain(`words of ${name}`);
      expect(events).not.toContain(other);
    }
    const firstRuns = await Promise.all(Object.values(runs).map(async (run) => (await run.status()).firstRunId));
    expect(new Set(firstRuns).size).toBe(2);
  });

  test('do not see what the other stored, though they ask by its name', async () => {
    const run = await play('dev', randomUUID());
    const { outputs } = { outputs: Object.values((await run.checkpoint()).stepOutputs) };
    const { firstRunId } = await run.status();
    const stores = names.map((name) => [name, stages[name].world.store] as const);

    for (const [name, store] of stores) {
      expect([name, (await store.blobs.get(outputs[0]!.artifactId)) !== undefined]).toEqual([name, name === 'dev']);
      const events = await store.events.read({ workflowId: run.id, firstRunId }, { epoch: 0, seq: 0 });
      expect([name, events.length > 0]).toEqual([name, name === 'dev']);
    }
  });
});

describe('two environments over one data directory, on two task queues of one namespace,', () => {
  const asks: [string, (run: RunHandle) => Promise<unknown>][] = [
    ['status', (run) => run.status()],
    ['transcript', (run) => run.transcript()],
    ['agentState', (run) => run.agentState()],
    ['export', (run) => run.export()],
    ['save', (run) => run.save()],
    ['result', (run) => run.result()],
    ['say', (run) => run.say('hi')],
    ['cancel', (run) => run.cancel()],
    ['watch', (run) => run.watch().next()],
  ];

  test('do not answer for each other', async () => {
    const run = await play('dev', randomUUID());
    const seen = stages.staging.world.client.attach(run.id);

    for (const [name, ask] of asks) {
      const type = await ask(seen).then(
        () => 'an answer',
        (error: unknown) => (error as { type?: string }).type,
      );
      expect([name, type]).toEqual([name, 'Run.OtherEnvironment']);
    }
    expect(await run.status()).toMatchObject({ status: 'completed' });
  });

  test('list their own runs', async () => {
    const run = await play('staging', randomUUID());

    const listed = async (name: Name) => (await stages[name].world.client.list({ limit: 1000 })).map(({ id }) => id);
    while (!(await listed('staging')).includes(run.id)) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await listed('dev')).not.toContain(run.id);
    expect(await listed('production')).not.toContain(run.id);
  });

  test('do not speak in the session of the other; when it has ended, its id is free', async () => {
    const key = randomUUID();
    const ours = stages.dev.world.client.session(stages.dev.actor(['hello'], { name: 'guide' }).agent, key);
    await ours.say('hi');
    const { agent } = stages.staging.actor(['hello from staging'], { name: 'guide' });

    await expect(stages.staging.world.client.session(agent, key).say('hi')).rejects.toMatchObject({ type: 'Run.OtherEnvironment' });
    expect(await ours.transcript()).toHaveLength(2);

    await ours.cancel();
    await ours.result();
    expect((await stages.staging.world.client.session(agent, key).say('hi')).reply).toBe('hello from staging');
  });
});
