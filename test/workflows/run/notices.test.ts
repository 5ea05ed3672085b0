/** Requests reach people: who is told what, how often, and that nothing that happens to a receiver happens to a run. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { defineAgent, defineFunction, type Notice, type RunEvent } from '../../../src/index.js';
import type { RunHandle } from '../../../src/client.js';
import { bundleWorkflows } from '../../../src/worker.js';
import { eventually } from '../../support/eventually.js';
import { openReceiver, silence, status, type Receiver } from '../../support/receiver.js';
import { devServer, temporalForTests, timeSkippingServer } from '../../support/servers.js';
import { WorkerProcess, writeBundle } from '../../support/workers.js';
import { openWorld, scriptedModel, type Script, type World, type WorldOptions } from '../../support/world.js';

const workflowsPath = fileURLToPath(new URL('../../fixtures/asking-workflows.ts', import.meta.url));
const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await devServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const clerk = defineAgent({ name: 'clerk', instructions: 'Ask.', model: 'clerk' });
const heard: Script = ({ messages }) => `heard ${messages.at(-1)?.content}`;

async function open({ url }: Pick<Receiver, 'url'>, more: Partial<WorldOptions> = {}): Promise<World> {
  const notify = { url, secret, link: 'https://desk.example/{run}/{request}' };
  return await openWorld({ environment, agents: [clerk], script: heard, ...more, config: { notify, ...more.config } });
}

const startDesk = (world: World, more: object = {}) =>
  world.client.start('handoff', { agents: ['clerk'], task: 'Buy tea', options: { person: true }, ...more });
const startAsking = (world: World, options: object, more: object = {}) =>
  world.client.start('asking' as 'session', { options: options as never, ...more });
const untilAsked = async (run: RunHandle, requestId: string) =>
  await eventually(async () => expect((await run.status()).requests).toContain(requestId));
const untilTold = async (receiver: Receiver, types: string[]) => await eventually(() => expect(receiver.types).toEqual(types));
const idsOf = (receiver: Receiver) => receiver.got.map(({ notice }) => notice.id);
const end = { message: 'that is all', end: true };

async function eventsOf(world: World, run: RunHandle): Promise<RunEvent[]> {
  const { firstRunId } = await run.status();
  return await world.store.events.read({ workflowId: run.id, firstRunId }, { epoch: 0, seq: 0 }, { limit: 5000 });
}

/** Every execution of it, as it happened. */
async function replay(run: RunHandle, path?: string): Promise<void> {
  const workflowBundle = await bundleWorkflows(path);
  for (let runId: string | undefined = (await run.status()).firstRunId; runId;) {
    const history = await environment.client.workflow.getHandle(run.id, runId).fetchHistory();
    await Worker.runReplayHistory({ workflowBundle }, history, run.id);
    runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
}

const noticesIn = (events: RunEvent[]) => events.flatMap((event) => (event.type.startsWith('notice.') ? [event] : []));

describe('a request', () => {
  test('is told outside with all that an answer needs, and when it needs none any more', async () => {
    await using receiver = await openReceiver();
    await using world = await open(receiver);
    const run = await startDesk(world, { orchestration: undefined });
    await untilTold(receiver, ['request.opened question-1']);

    expect(receiver.got[0]?.notice).toEqual({
      version: 1,
      type: 'request.opened',
      id: expect.stringMatching(/^notice_\w+$/),
      at: expect.stringMatching(/Z$/),
      run: { id: run.id, pattern: 'handoff' },
      request: (await run.requests())[0],
      answer: {
        command: expect.stringContaining(`npx ostinato respond ${run.id} question-1`),
        temporal: expect.stringContaining(`--workflow-id ${run.id} --name respond`),
        url: `https://desk.example/${encodeURIComponent(run.id)}/question-1`,
      },
    });
    expect(receiver.got[0]?.headers['webhook-signature']).toMatch(/^v1,/);
    await run.respond('question-1', end, { by: 'anna' });
    await run.result();

    expect(receiver.types).toEqual(['request.opened question-1', 'request.answered question-1']);
    expect(receiver.got[1]?.notice).toMatchObject({ request: { status: 'answered', by: 'anna', response: end } });
    expect(receiver.got[1]?.notice).not.toHaveProperty('answer');
    expect(new Set(idsOf(receiver)).size).toBe(2);
    expect(noticesIn(await eventsOf(world, run))).toMatchObject([
      { type: 'notice.sent', requestId: 'question-1', about: 'request.opened', by: ['webhook'], noticeId: receiver.got[0]?.notice.id },
      { type: 'notice.sent', requestId: 'question-1', about: 'request.answered' },
    ]);
  });

  test('that expires, or that is withdrawn with its run, is taken back', async () => {
    await using receiver = await openReceiver();
    await using world = await open(receiver, { workflowsPath });
    const run = await startAsking(world, { timeoutMs: 10_000, stays: true });
    await eventually(() => expect(receiver.types).toContain('request.opened question-0'));
    await untilAsked(run, 'stays');
    await eventually(() => expect(receiver.types).toContain('request.opened stays'));

    await run.cancel();
    await run.result();

    expect([...receiver.types].sort()).toEqual([
      'request.expired question-0',
      'request.opened question-0',
      'request.opened stays',
      'request.withdrawn stays',
    ]);
  });

  test('leaves the secret and the address nowhere', async () => {
    await using receiver = await openReceiver(status(500));
    await using world = await open(receiver);
    const run = await startDesk(world);
    await eventually(() => expect(receiver.got.length).toBeGreaterThan(1));
    await run.respond('question-1', end);
    await run.result();

    const handle = environment.client.workflow.getHandle(run.id);
    const told = [await handle.fetchHistory(), (await handle.describe()).memo, await eventsOf(world, run), await run.status()];
    const all = JSON.stringify(told, (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value));
    expect(all).toContain('question-1');
    expect(all).not.toContain(secret.slice(6));
    expect(all).not.toContain(new URL(receiver.url).port);
  });

  test('with a very long prompt is told in short', async () => {
    await using receiver = await openReceiver();
    await using world = await open(receiver, { workflowsPath });
    const schema = { type: 'string', description: 'x'.repeat(20_000) };
    const run = await startAsking(world, { prompt: '🫖'.repeat(20_000), schema });
    await untilTold(receiver, ['request.opened question-0']);

    const { request } = receiver.got[0]!.notice;
    expect(request.prompt.length).toBeLessThan(2200);
    expect(request).not.toHaveProperty('schema');
    await run.cancel();
    await run.result();
  });

  test('that nobody answers is told again, then to those whom it is passed on to, and stands like that in the record', async () => {
    const skipping = await timeSkippingServer();
    try {
      await using receiver = await openReceiver();
      await using world = await open(receiver, { environment: skipping });
      const later = { escalate: { role: 'management', timeout: '2 days', onTimeout: 'end' } };
      const run = await startDesk(world, {
        options: { person: { assignee: 'ann', timeout: '60 hours', remind: '1 day', onTimeout: later } },
      });
      await untilTold(receiver, ['request.opened question-1']);

      expect(await run.result()).toMatchObject({ stopReason: { code: 'person.silent' } });

      expect(receiver.types).toEqual(
        ['opened', 'reminded', 'reminded', 'escalated', 'expired'].map((what) => `request.${what} question-1`),
      );
      const [, reminded, , escalated] = receiver.got.map(({ notice }) => notice);
      expect(reminded?.request).toMatchObject({ assignee: ['ann'], reminders: 1 });
      expect(escalated?.request).toMatchObject({ role: 'management', escalatedFrom: ['ann'] });
      expect(escalated?.request).not.toHaveProperty('assignee');
      expect(await run.audit()).toMatchObject([
        {
          requestId: 'question-1',
          status: 'expired',
          trail: [{ what: 'reminded' }, { what: 'reminded' }, { what: 'escalated', role: 'management' }],
        },
      ]);
    } finally {
      await skipping.teardown();
    }
  });

  test('of nobody who is to be told costs nothing', async () => {
    await using world = await openWorld({ environment, agents: [clerk], script: heard });
    const run = await startDesk(world);
    await untilAsked(run, 'question-1');
    await run.respond('question-1', end);
    await run.result();

    const { events = [] } = await environment.client.workflow.getHandle(run.id).fetchHistory();
    expect((events ?? []).map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name)).not.toContain('notify');
  });
});

describe('a function', () => {
  test.each<[string, (told: Notice[]) => Partial<WorldOptions>]>([
    ['of any kind', (told) => ({ notify: (notice) => told.push(notice) })],
    ['that is registered', (told) => ({ notify: defineFunction<Notice>({ name: 'tell', run: (notice) => told.push(notice) }) })],
    [
      'that is named',
      (told) => ({ notify: 'tell', functions: [defineFunction<Notice>({ name: 'tell', run: (notice) => told.push(notice) })] }),
    ],
  ])('%s is told', async (_, options) => {
    const told: Notice[] = [];
    await using world = await openWorld({ environment, agents: [clerk], script: heard, ...options(told) });
    const run = await startDesk(world);
    await eventually(() => expect(told).toMatchObject([{ type: 'request.opened', request: { requestId: 'question-1' } }]));
    await run.respond('question-1', end);
    await run.result();

    expect(told.map(({ type }) => type)).toEqual(['request.opened', 'request.answered']);
  });

  test('that is not there is refused when the worker starts', async () => {
    await expect(openWorld({ environment, notify: 'tel', functions: [] })).rejects.toMatchObject({
      type: 'Input.Invalid',
      message: expect.stringContaining('no function is called "tel"'),
    });
  });
});

describe('a receiver', () => {
  test('that fails is tried again under the same id, until it has it', async () => {
    await using receiver = await openReceiver(status(503));
    await using world = await open(receiver);
    const run = await startDesk(world);
    await eventually(() => expect(receiver.got.length).toBeGreaterThan(1));
    receiver.reply = status(200);
    await eventually(async () => expect(noticesIn(await eventsOf(world, run))).toHaveLength(1));

    expect(new Set(idsOf(receiver)).size).toBe(1);
    expect(new Set(receiver.got.map(({ body }) => body)).size).toBe(1);
    await run.cancel();
    await run.result();
    await replay(run);
  });

  test('that is silent holds up nothing: answers are taken, and the run goes on', async () => {
    await using receiver = await openReceiver(silence);
    await using world = await open(receiver);
    const run = await startDesk(world);
    await eventually(() => expect(receiver.got).toHaveLength(1));

    await run.respond('question-1', 'green');
    await untilAsked(run, 'question-2');
    await run.respond('question-2', end);

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'heard green' });
    const notices = noticesIn(await eventsOf(world, run));
    expect(notices.map(({ type }) => type)).not.toContain('notice.sent');
    expect(notices).toContainEqual(
      expect.objectContaining({
        type: 'notice.failed',
        requestId: 'question-1',
        about: 'request.answered',
        reason: 'The run has ended, and nobody has heard.',
      }),
    );
  });

  test('that refuses one is asked no more for that one, but for the next', async () => {
    await using receiver = await openReceiver(status(400));
    await using world = await open(receiver);
    const run = await startDesk(world);
    await untilTold(receiver, ['request.opened question-1']);
    await run.respond('question-1', 'green');
    await eventually(() => expect(receiver.types).toContain('request.opened question-2'));
    await run.respond('question-2', end);
    await run.result();

    expect(receiver.types.filter((type) => type === 'request.opened question-1')).toHaveLength(1);
    expect(noticesIn(await eventsOf(world, run))[0]).toMatchObject({
      type: 'notice.failed',
      requestId: 'question-1',
      about: 'request.opened',
      reason: 'The receiver answered with status 400.',
    });
  });

  test('that is gone is asked no more at all', async () => {
    await using receiver = await openReceiver(status(410));
    await using world = await open(receiver);
    const run = await startDesk(world);
    await eventually(async () => expect(noticesIn(await eventsOf(world, run))).toHaveLength(1));
    await run.respond('question-1', 'green');
    await untilAsked(run, 'question-2');
    await run.respond('question-2', end);
    await run.result();

    expect(receiver.types).toEqual(['request.opened question-1']);
  });

  test('that leads elsewhere is not followed', async () => {
    await using elsewhere = await openReceiver();
    await using receiver = await openReceiver(status(307, { location: elsewhere.url }));
    await using world = await open(receiver);
    const run = await startDesk(world);
    await eventually(async () =>
      expect(noticesIn(await eventsOf(world, run))).toMatchObject([
        { type: 'notice.failed', reason: expect.stringContaining('not followed') },
      ]),
    );
    await run.cancel();
    await run.result();

    expect(elsewhere.got).toEqual([]);
  });

  test('gets hundreds that are opened and settled at once, each once, also while the run continues as new', async () => {
    await using receiver = await openReceiver();
    await using world = await open(receiver, { workflowsPath, historyEvents: 50 });
    const run = await startAsking(world, { count: 300 });
    await eventually(() => expect(receiver.got).toHaveLength(300));
    for (let i = 0; i < 20; i++) await run.respond(`question-${i}`, i);
    await eventually(() => expect(receiver.got).toHaveLength(320));
    await run.cancel();
    await run.result();

    expect((await run.checkpoint()).continuations).toBeGreaterThan(0);
    expect(new Set(idsOf(receiver)).size).toBe(600);
    expect(receiver.types.filter((type) => type.startsWith('request.withdrawn'))).toHaveLength(280);
    await replay(run, workflowsPath);
  });

  test('that is told by a worker which is killed before that is recorded, is told again under the same id', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ostinato-notices-'));
    const { address, namespace } = temporalForTests();
    const config = { address, namespace, dataDir: directory, taskQueue: `notices-${randomUUID()}` };
    const workers: WorkerProcess[] = [];
    await using model = await scriptedModel(heard);
    await using receiver = await openReceiver();
    try {
      const bundle = await writeBundle(directory);
      const startWorker = async (name: string) => {
        const options = { name, bundle, baseURL: model.baseURL, effects: directory };
        workers.push(await WorkerProcess.start({ ...options, config: { ...config, notify: { url: receiver.url } } }));
      };
      // It has the notice, and the worker never hears of that.
      receiver.reply = (_, response) => {
        workers[0]?.pause();
        response.writeHead(200).end();
      };
      await startWorker('first');
      await using world = await openWorld({ environment, config: { dataDir: directory, taskQueue: config.taskQueue } });
      await world.worker.stop();
      const run = await world.client.start('handoff', {
        agents: [{ name: 'clerk', instructions: 'Ask.', model: 'clerk' }],
        task: 'Buy tea',
        options: { person: true },
      });
      await eventually(() => expect(receiver.got).toHaveLength(1));
      receiver.reply = (_, response) => void response.writeHead(200).end();
      await workers[0]?.kill();
      await startWorker('second');
      for (let i = 0; i < 3 && receiver.got.length < 2; i++)
        await eventually(() => expect(receiver.got.length).toBe(2)).catch(() => undefined);

      expect(receiver.types).toEqual(['request.opened question-1', 'request.opened question-1']);
      expect(new Set(idsOf(receiver)).size).toBe(1);
      expect(receiver.got[0]?.body).toBe(receiver.got[1]?.body);
      await run.cancel();
      await run.result();
    } finally {
      for (const worker of workers) if (worker.isAlive) await worker.kill();
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe('a run', () => {
  test('tells of what nested runs ask, once, under the ids that it knows them by', async () => {
    await using receiver = await openReceiver();
    await using world = await open(receiver);
    const desk = { name: 'shop', pattern: 'handoff' as const, agents: ['clerk'], options: { person: true } };
    const run = await world.client.start('sequential', { agents: [desk], task: 'Buy tea' });
    await untilTold(receiver, ['request.opened op-1~question-1']);
    expect(receiver.got[0]?.notice.run).toMatchObject({ id: run.id, pattern: 'sequential' });

    await run.respond('op-1~question-1', end);
    await run.result();

    expect(receiver.types).toEqual(['request.opened op-1~question-1', 'request.answered op-1~question-1']);
  });

  test('that is put back tells nobody again of what still waits, and takes back what nobody asks any more', async () => {
    await using receiver = await openReceiver();
    await using world = await open(receiver);
    const run = await startDesk(world);
    await untilTold(receiver, ['request.opened question-1']);
    const { snapshotId } = await run.save();
    await run.respond('question-1', 'green');
    await eventually(() => expect(receiver.types).toContain('request.opened question-2'));
    const before = receiver.got.length;

    await run.rollback({ snapshotId });
    // It had been taken back, so it is told anew.
    await eventually(() => expect(receiver.types.slice(before)).toEqual(['request.withdrawn question-2', 'request.opened question-1']));
    const again = await run.save();
    await run.rollback({ snapshotId: again.snapshotId });
    await run.respond('question-1', 'black');
    await eventually(() => expect(receiver.types).toHaveLength(before + 4));

    // Nobody had taken it back the second time.
    expect(receiver.types.slice(before + 2).sort()).toEqual(['request.answered question-1', 'request.opened question-2']);
    expect(new Set(idsOf(receiver)).size).toBe(receiver.got.length);
    await run.cancel();
    await run.result();
  });

  test('that is forked tells of its own', async () => {
    await using receiver = await openReceiver();
    await using world = await open(receiver);
    const run = await startDesk(world);
    await untilTold(receiver, ['request.opened question-1']);

    const fork = await run.fork();
    await untilTold(receiver, ['request.opened question-1', 'request.opened question-1']);

    expect(receiver.got.map(({ notice }) => notice.run.id)).toEqual([run.id, fork.id]);
    expect(new Set(idsOf(receiver)).size).toBe(2);
    for (const one of [run, fork]) await one.cancel().then(() => one.result());
  });

  test('sleeps though nobody hears it, wakes to try again, and gives up after a day', async () => {
    const skipping = await timeSkippingServer();
    try {
      await using receiver = await openReceiver(status(503));
      await using world = await open(receiver, { environment: skipping });
      const run = await startDesk(world);
      await eventually(() => expect(receiver.got.length).toBeGreaterThan(0));

      for (let hours = 0; hours < 40; hours += 2) await skipping.sleep('2 hours');
      await eventually(async () =>
        expect(noticesIn(await eventsOf(world, run))).toMatchObject([{ type: 'notice.failed', requestId: 'question-1' }]),
      );

      const events = (await eventsOf(world, run)).map(({ type }) => type);
      expect(events).toContain('run.slept');
      expect(receiver.got.length).toBeGreaterThan(10);
      expect(receiver.got.length).toBeLessThan(80);
      expect(new Set(idsOf(receiver)).size).toBe(1);
      receiver.reply = status(200);
      await run.respond('question-1', end);
      expect(await run.result()).toMatchObject({ status: 'completed' });
      // Somebody may have got it after all.
      expect(receiver.types.at(-1)).toBe('request.answered question-1');
    } finally {
      await skipping.teardown();
    }
  });
});
