import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type OstinatoClient } from '../../src/client.js';
import { eventually } from '../support/eventually.js';
import { devServer, devServerConfig } from '../support/servers.js';
import { openStage, type Stage } from '../support/stage.js';

let environment: TestWorkflowEnvironment;
let stage: Stage;
let client: OstinatoClient;
/** As from another process. */
let other: OstinatoClient;
beforeAll(async () => {
  environment = await devServer();
  stage = await openStage({ environment, config: { worker: { shutdownGraceMs: 1000 } } });
  client = stage.world.client;
  other = await connect({
    config: devServerConfig({ taskQueue: stage.world.taskQueue }),
    temporal: environment.client,
    store: stage.world.store,
  });
});
afterAll(async () => {
  await other?.close();
  await stage?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

/** A model that answers when it is told to. */
function held(name = 'actor') {
  const { promise, resolve } = withResolvers<void>();
  const { agent, calls } = stage.actor(async () => promise.then(() => 'at last'), { name });
  return { agent, calls, release: resolve };
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((take) => (resolve = take));
  return { promise, resolve };
}

const start = (agent: ReturnType<Stage['actor']>['agent']) => client.start('sequential', { agents: [agent], task: 'go' });

describe('waiting for a result', () => {
  test('ends after the time given, for each who waits, as often as they like; the run goes on', async () => {
    const { agent, calls, release } = held();
    const run = await start(agent);
    await eventually(() => expect(calls).toHaveLength(1));

    const waits = [run, other.attach(run.id), run].map((handle) => handle.result({ timeout: '300 ms' }));
    await Promise.all(waits.map((wait) => expect(wait).rejects.toMatchObject({ type: 'Run.TimedOut' })));
    expect((await run.status()).status).toBe('running');
    await expect(run.result({ timeout: 200 })).rejects.toMatchObject({ type: 'Run.TimedOut' });

    const results = [run.result({ timeout: '60 days' }), run.result(), other.attach(run.id).result()];
    release();
    for (const result of results) expect(await result).toMatchObject({ status: 'completed', output: 'at last' });
    expect(await run.result({ timeout: 60_000 })).toEqual(await other.attach(run.id).result());
  });

  test.each(['soon', '-5 seconds', ''])('for %j is refused', async (timeout) => {
    const run = await start(stage.actor(['done']).agent);

    await expect(run.result({ timeout })).rejects.toMatchObject({ type: 'Input.Invalid' });
  });

  test('of a run that was terminated fails, and says so', async () => {
    const run = await start(held().agent);
    // The result may be there before `terminate` has returned: somebody has to be waiting for it.
    const failing = expect(run.result()).rejects.toMatchObject({
      type: 'Run.Failed',
      message: expect.stringContaining('terminated') as string,
    });

    await environment.client.workflow.getHandle(run.id).terminate('test');

    await failing;
  });
});

describe('a run', () => {
  test('is found again by its id, from any process', async () => {
    const run = await start(stage.actor(['done'], { name: 'finder' }).agent);
    await run.result();

    const again = other.attach(run.id);
    expect(await again.status()).toMatchObject({ runId: run.id, status: 'completed', agents: ['finder'], rounds: 1 });
    expect(await again.transcript()).toEqual(await run.transcript());
    expect(await again.checkpoint()).toEqual(await run.checkpoint());
    expect((await again.agentState()).data.conversationHistory).toHaveLength(2);
  });

  test('is started once under an id; after its end the id is free again', async () => {
    const id = randomUUID();
    const { agent, release } = held();
    const input = { agents: [agent], task: 'go' };
    const run = await client.start('sequential', input, { id });

    await expect(other.start('sequential', input, { id })).rejects.toMatchObject({ type: 'Run.AlreadyExists' });
    release();
    await run.result();

    const second = await other.start('sequential', { agents: [agent], task: 'again' }, { id });
    await second.result();
    expect(await second.transcript()).toMatchObject([{ message: { contents: [{ text: 'again' }] } }, {}]);
    expect((await second.status()).firstRunId).not.toBe(undefined);
    // Whoever holds the first one still gets its result.
    expect(await run.result()).toMatchObject({ status: 'completed' });
  });

  test('is listed with what it is, newest first, and by whether it is open', async () => {
    await using own = await openStage({ environment });
    const done = await own.world.client.start('sequential', { agents: [own.actor(['done'], { name: 'lister' }).agent], task: 'go' });
    await done.result();
    const open = own.world.client.session(own.actor(['hello'], { name: 'guide' }).agent, 'anna');
    await open.say('hi');

    const list = own.world.client;
    await eventually(async () =>
      expect((await list.list()).map(({ id, status }) => [id, status])).toEqual([
        [open.id, 'running'],
        [done.id, 'completed'],
      ]),
    );
    const [, second] = await list.list();
    expect(second).toMatchObject({
      pattern: 'sequential',
      orchestration: 'sequential',
      agents: ['lister'],
      closedAt: expect.any(String) as string,
    });
    expect((await list.list({ status: 'open' })).map(({ id }) => id)).toEqual([open.id]);
    expect(await list.list({ limit: 1 })).toHaveLength(1);
    expect(await client.list({ limit: 1000 }).then((all) => all.map(({ id }) => id))).not.toContain(done.id);
  });

  test.each([
    ['status', (run) => run.status()],
    ['checkpoint', (run) => run.checkpoint()],
    ['transcript', (run) => run.transcript()],
    ['export', (run) => run.agentState()],
    ['turn', (run) => run.turn('m1')],
    ['result', (run) => run.result()],
    ['say', (run) => run.say('hi')],
    ['cancel', (run) => run.cancel()],
    ['watch', (run) => run.watch().next()],
  ] as [string, (run: ReturnType<OstinatoClient['attach']>) => Promise<unknown>][])(
    'of an id that nobody knows is not found: %s',
    async (_, ask) => {
      await expect(ask(client.attach('nobody'))).rejects.toMatchObject({
        type: 'Run.NotFound',
        message: expect.stringContaining('"nobody"') as string,
      });
    },
  );

  test('says what is wrong with a message to it, typed', async () => {
    const { agent, release } = held();
    const run = await start(agent);

    await expect(run.say('hello')).rejects.toMatchObject({ type: 'Run.NotConversational' });
    await expect(run.say('')).rejects.toMatchObject({ type: 'Input.Invalid' });
    release();
    await run.result();
    await expect(run.say('hello')).rejects.toMatchObject({ type: 'Run.Closed' });
    expect(await run.cancel()).toEqual({ status: 'completed' });
  });
});

describe('callbacks', () => {
  test('hear every event in order, and every message whole', async () => {
    const long = 'word '.repeat(4000);
    const first = stage.actor([{ chunks: [long] }], { name: 'first' });
    const second = stage.actor(['short'], { name: 'second' });
    const run = await client.start('sequential', { agents: [first.agent, second.agent], task: 'go' });
    const seen: number[] = [];
    const messages: { agent: string; text: string; turn: number }[] = [];
    run.onEvent(({ seq }) => void seen.push(seq));
    other.attach(run.id).onMessage((message) => void messages.push(message));
    await run.result();

    await eventually(() => expect(messages).toHaveLength(2));
    expect(messages).toEqual([
      { agent: 'first', text: long, turn: 1 },
      { agent: 'second', text: 'short', turn: 2 },
    ]);
    const all: number[] = [];
    for await (const { seq } of run.watch()) all.push(seq);
    await eventually(() => expect(seen).toEqual(all));
  });

  test('stop when they are told to, and one that throws stops only itself', async () => {
    const { agent, release } = held();
    const run = await start(agent);
    const heard: { [who: string]: string[] } = { stopped: [], broken: [], steady: [] };
    const errors: unknown[] = [];
    const stop = run.onEvent(({ type }) => void heard.stopped?.push(type));
    run.onEvent(
      ({ type }) => {
        heard.broken?.push(type);
        throw new Error('my own mistake');
      },
      { onError: (error) => errors.push(error) },
    );
    run.onEvent(({ type }) => void heard.steady?.push(type));
    await eventually(() => expect(heard.stopped).toContain('turn.started'));

    stop();
    release();
    await eventually(() => expect(heard.steady).toContain('run.finished'));

    expect(heard.stopped).not.toContain('run.finished');
    expect(heard.broken).toHaveLength(1);
    expect(errors).toEqual([new Error('my own mistake')]);
  });
});
