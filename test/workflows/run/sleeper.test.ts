/** Runs that wait for long, and sleep meanwhile: what wakes them, what does not, and that nobody notices. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineAgent, textOf } from '../../../src/index.js';
import type { RunHandle } from '../../../src/client.js';
import { eventually } from '../../support/eventually.js';
import { devServer, timeSkippingServer } from '../../support/servers.js';
import { openWorld, type Script, type World } from '../../support/world.js';

/** Shared by all that sleep for moments. */
let environment: TestWorkflowEnvironment;
let world: World;
beforeAll(async () => {
  environment = await devServer();
  world = await openWorld({ environment, agents: [speaker('clerk')], script: heard });
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

const speaker = (name: string) => defineAgent({ name, instructions: 'Speak.', model: name });
const heard: Script = ({ messages }) => `heard ${messages.at(-1)?.content}`;
const startDesk = (more: object = {}, person: object | true = true, { client } = world) =>
  client.start('handoff', { agents: ['clerk'], task: 'tea', options: { person }, sleepAfter: '1 second', ...more });
const asleep = { status: 'waiting', asleep: { snapshotId: expect.stringMatching(/^[0-9a-f]{32}$/) } };
const untilAsleep = async (run: RunHandle) => await eventually(async () => expect(await run.status()).toMatchObject(asleep));
const untilAsked = async (run: RunHandle, requestId: string) =>
  await eventually(async () => expect((await run.status()).requests).toEqual([requestId]));
const plain = (run: RunHandle) => environment.client.workflow.getHandle(run.id);
const textsOf = async (run: RunHandle) => (await run.transcript()).map(({ message }) => textOf(message));

async function told(run: RunHandle, { store } = world): Promise<string[]> {
  const { firstRunId } = await run.status();
  const events = await store.events.read({ workflowId: run.id, firstRunId }, { epoch: 0, seq: 0 }, { limit: 5000 });
  return events.flatMap(({ type, nested }) => (/^(run|wake)\./.test(type) && nested === undefined ? [type] : []));
}

describe('a run that waits for months', () => {
  test('sleeps after an hour, and an answer wakes it where it was', async () => {
    const skipping = await timeSkippingServer();
    try {
      await using world = await openWorld({ environment: skipping, agents: [speaker('clerk')], script: heard });
      const run = await startDesk({ sleepAfter: undefined }, true, world);
      await untilAsked(run, 'question-1');
      await skipping.sleep('2 hours');
      await untilAsleep(run);
      await skipping.sleep('200 days');

      await run.respond('question-1', { message: 'green', end: true });

      expect(await run.result()).toMatchObject({ status: 'completed', output: 'heard tea', rounds: 1 });
      expect(await told(run, world)).toEqual(['run.started', 'run.slept', 'run.woken', 'run.finished']);
    } finally {
      await skipping.teardown();
    }
  });

  test.each([
    ['a request expires', {}, { timeout: '6 hours', onTimeout: 'end' }, { stopReason: { code: 'person.silent' } }],
    ['a limit ends it', { limits: { time: '6 hours' } }, true, { status: 'stopped', stopReason: { code: 'limit.time' } }],
    ['a condition ends it', { termination: { type: 'timeout', after: '6 hours' } }, true, { stopReason: { code: 'condition' } }],
  ] as const)('when its time comes in its sleep, %s', async (_, more, person, outcome) => {
    const skipping = await timeSkippingServer();
    try {
      await using world = await openWorld({ environment: skipping, agents: [speaker('clerk')], script: heard });
      const run = await startDesk({ sleepAfter: '1 hour', ...more }, person, world);
      await untilAsked(run, 'question-1');
      await skipping.sleep('2 hours');
      await untilAsleep(run);

      expect(await run.result()).toMatchObject({ ...outcome, output: 'heard tea' });
      expect(await told(run, world)).toEqual(['run.started', 'run.slept', 'run.woken', 'run.finished']);
    } finally {
      await skipping.teardown();
    }
  });

  test('when the time of a turn comes in its sleep, that turn has failed, and what the others said counts', async () => {
    const skipping = await timeSkippingServer();
    try {
      await using world = await openWorld({ environment: skipping, agents: [speaker('clerk'), speaker('editor')], script: heard });
      const run = await world.client.start('concurrent', {
        agents: [{ name: 'desk', pattern: 'handoff', agents: ['clerk'], options: { person: true } }, 'editor'],
        task: 'tea',
        options: { failurePolicy: 'collect', memberTimeout: '6 hours' },
        sleepAfter: '1 hour',
      });
      await untilAsked(run, 'op-1~question-1');
      await skipping.sleep('2 hours');
      await untilAsleep(run);

      expect((await run.result()).output).toMatchObject([
        { member: 'desk', status: 'failed', failure: { type: 'Turn.TimedOut' } },
        { member: 'editor', status: 'completed', output: 'heard tea' },
      ]);
      expect(await told(run, world)).toEqual(['run.started', 'run.slept', 'run.woken', 'run.finished']);
      expect((await run.requests()).map(({ status }) => status)).toEqual(['withdrawn']);
      expect(await world.client.attach(`${run.id}/1-desk`).result()).toMatchObject({ status: 'cancelled', output: 'heard tea' });
    } finally {
      await skipping.teardown();
    }
  });
});

describe.concurrent('a run that waits for a person', () => {
  test('goes on where it was, as often as it sleeps, and whoever waits for its result waits on', async () => {
    const run = await startDesk();
    const result = run.result();
    await untilAsleep(run);
    expect(await run.checkpoint()).toMatchObject({ completedSteps: ['1/1'], completedStepCount: 1, transcript: { length: 2 } });
    expect(await textsOf(run)).toEqual(['tea', 'heard tea']);
    expect(await run.snapshots()).toEqual([]);

    await run.respond('question-1', 'green');
    await untilAsked(run, 'question-2');
    await untilAsleep(run);
    await plain(run).signal('respond', { requestId: 'question-2', response: { message: 'black', end: true } });

    expect(await result).toMatchObject({ status: 'completed', output: 'heard green', rounds: 2 });
    expect(await textsOf(run)).toEqual(['tea', 'heard tea', 'green', 'heard green', 'black']);
    expect(await told(run)).toEqual(['run.started', 'run.slept', 'run.woken', 'run.slept', 'run.woken', 'run.finished']);
  });

  test('is not woken by what it refuses, and knows what it has been told', async () => {
    const run = await startDesk();
    await untilAsked(run, 'question-1');
    await run.respond('question-1', { message: 'green' }, { by: 'ann' });
    await untilAsked(run, 'question-2');
    await untilAsleep(run);
    const { asleep: before } = await run.status();

    await expect(run.respond('question-1', 'black')).rejects.toMatchObject({ type: 'Request.NotPending', message: /by ann, otherwise/ });
    await expect(run.respond('question-2', 7)).rejects.toMatchObject({ type: 'Input.Invalid' });
    await expect(run.respond('question-9', 'x')).rejects.toMatchObject({ type: 'Request.NotPending', message: /question-2/ });
    await expect(run.say('hello')).rejects.toMatchObject({ type: 'Run.NotConversational' });
    await expect(run.stop()).rejects.toMatchObject({ type: 'Input.Invalid' });
    await plain(run).signal('respond', { requestId: 'question-9', response: 1 });
    expect(await run.respond('question-1', { message: 'green' })).toEqual({ requestId: 'question-1', status: 'answered' });

    expect((await run.requests()).map(({ requestId, status, by }) => [requestId, status, by])).toEqual([
      ['question-1', 'answered', 'ann'],
      ['question-2', 'pending', undefined],
    ]);
    expect((await run.status()).asleep).toEqual(before);
    expect(await run.cancel()).toEqual({ status: 'cancelling' });
    expect(await run.result()).toMatchObject({ status: 'cancelled', output: 'heard [ann]\ngreen' });
  });

  test.each([
    ['cancel at once', (run: RunHandle) => run.cancel({ mode: 'immediate' }), { status: 'cancelled', output: 'heard tea' }],
    ["Temporal's cancel", (run: RunHandle) => plain(run).cancel(), { status: 'cancelled', output: 'heard tea' }],
    [
      'a condition that is met from outside',
      (run: RunHandle) => run.stop({ reason: 'enough' }),
      { status: 'completed', output: 'heard tea' },
    ],
  ] as const)('ends by %s as if it were awake', async (_, end, outcome) => {
    const run = await startDesk({ termination: { type: 'external' } });
    await untilAsleep(run);

    await end(run);

    expect(await run.result()).toMatchObject(outcome);
    expect(await run.requests()).toMatchObject([{ requestId: 'question-1', status: 'withdrawn' }]);
    expect(await told(run)).toEqual(['run.started', 'run.slept', 'run.woken', 'run.finished']);
  });

  test('is saved, forked and put back in its sleep, and sleeps again', async () => {
    const run = await startDesk();
    await untilAsleep(run);

    const { snapshotId } = await run.save({ label: 'mine' });
    const fork = await run.fork();
    await untilAsked(fork, 'question-1');
    await untilAsleep(run);
    expect((await run.status()).operations).toMatchObject([{ kind: 'save' }, { kind: 'fork' }]);
    await run.respond('question-1', 'green');
    await untilAsked(run, 'question-2');
    await untilAsleep(run);
    await run.rollback({ snapshotId });

    await untilAsked(run, 'question-1');
    expect(await textsOf(run)).toEqual(['tea', 'heard tea']);
    await Promise.all([run.cancel(), fork.cancel()]);
  });

  test('that is never to sleep has no timer for it', async () => {
    const run = await startDesk({ sleepAfter: 'never' });
    await untilAsked(run, 'question-1');

    const { events } = await plain(run).fetchHistory();
    expect(events?.filter((event) => event.timerStartedEventAttributes)).toEqual([]);
    await run.cancel();
  });
});

describe.concurrent('a session that sleeps', () => {
  const talk = (more: object = {}) => world.client.session('clerk', randomUUID(), { sleepAfter: '1 second', ...more });

  test('is one live run: it goes on with the next message, whoever says it, and knows those that it has heard', async () => {
    const session = talk();
    await session.say('first', { id: 'one' });
    const { firstRunId } = await session.status();
    await untilAsleep(session);
    expect(await session.turn('one')).toMatchObject({ status: 'completed', reply: 'heard first' });

    const [second, third] = await Promise.all([session.say('second'), session.say('third')]);
    expect([second.reply, third.reply]).toEqual(['heard second', 'heard third']);
    await untilAsleep(session);
    expect((await session.say('first', { id: 'one' })).reply).toBe('heard first');

    expect(await session.status()).toMatchObject({ firstRunId, rounds: 3 });
    await session.cancel();
  });

  test('closes instead when it is told to', async () => {
    const session = talk({ options: { sleepAfter: '2 seconds' } });
    await session.say('first');
    expect(await session.result()).toMatchObject({ stopReason: { code: 'asleep' } });
    expect((await session.say('second')).reply).toBe('heard second');
    await session.cancel();
  });
});

describe('what a sleeper holds', () => {
  /** What the execution that sleeps was given. */
  async function carriedBytes(run: RunHandle): Promise<number> {
    const { events } = await plain(run).fetchHistory();
    const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    return payload?.data?.length ?? 0;
  }
  const asking = async (options: object) =>
    await asker.client.start('asking', { agents: ['clerk'], task: 'x', options, sleepAfter: '1 second' } as never);
  let asker: World;
  beforeAll(async () => {
    const workflowsPath = fileURLToPath(new URL('../../fixtures/asking-workflows.ts', import.meta.url));
    asker = await openWorld({ environment, agents: [speaker('clerk')], workflowsPath });
  });
  afterAll(async () => {
    await asker?.[Symbol.asyncDispose]();
  });

  test('is small, however much was asked and answered: the client reads the rest from the store', async () => {
    const prompt = 'Why? '.repeat(1500);
    const run = await asking({ count: 110, prompt, inTurn: true });
    for (let i = 0; i < 105; i++) {
      await untilAsked(run, `question-${i}`);
      await run.respond(`question-${i}`, { words: 'Because. '.repeat(500), number: i });
    }
    await untilAsleep(run);

    expect(await carriedBytes(run)).toBeLessThan(16 * 1024);
    const requests = await run.requests();
    expect(requests.filter(({ status }) => status === 'pending')).toMatchObject([{ requestId: 'question-105', prompt }]);
    expect(requests).toHaveLength(101);
    await expect(run.respond('question-104', 'otherwise')).rejects.toMatchObject({ type: 'Request.NotPending' });
    expect(await run.respond('question-104', { number: 104, words: 'Because. '.repeat(500) })).toMatchObject({ status: 'answered' });
    expect(await run.status()).toMatchObject(asleep);
    await run.cancel();
  });

  test('would be too large with these schemas: the run stays awake, and answers are checked', async () => {
    const run = await asking({ schema: { type: 'number', description: 'A long story. '.repeat(1200) } });
    const small = await asking({ schema: { type: 'number', description: 'A long story. '.repeat(500) } });
    await untilAsleep(small);
    await new Promise((resolve) => setTimeout(resolve, 1500));

    expect((await run.status()).asleep).toBeUndefined();
    for (const one of [run, small]) await expect(one.respond('question-0', 'no')).rejects.toMatchObject({ type: 'Input.Invalid' });
    expect((await small.status()).asleep).toBeDefined();
    for (const one of [run, small]) await one.respond('question-0', 7);
    expect(await run.result()).toMatchObject({ output: [7] });
    expect(await small.result()).toMatchObject({ output: [7] });
  });

  test('two answers at once count both, and of two to one question the first', async () => {
    const run = await asking({ count: 2, stays: true });
    await untilAsleep(run);

    const answers = await Promise.allSettled([
      run.respond('question-0', 1),
      run.respond('question-1', 2),
      run.respond('question-1', 3),
      run.respond('question-0', 1),
    ]);

    await untilAsked(run, 'stays');
    await run.respond('stays', 0);
    const { output } = await run.result();
    expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect([
      [1, 2],
      [1, 3],
    ]).toContainEqual(output);
  });
});
