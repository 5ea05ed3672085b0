/** Runs and the runs that they start: how each learns of the other's end, whatever happens to either of them. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { defineTool, textOf, type JsonObject, type RunInput } from '../../../src/index.js';
import { openWorld, type Script, type World } from '../../support/world.js';
import { eventually } from '../../support/eventually.js';
import { devServer, timeSkippingServer } from '../../support/servers.js';

let environment: TestWorkflowEnvironment;
let server: TestWorkflowEnvironment;
beforeAll(async () => {
  [environment, server] = await Promise.all([timeSkippingServer(), devServer()]);
});
afterAll(async () => {
  await environment?.teardown();
  await server?.teardown();
});

// Two levels, each in several executions, on a machine that has other things to do.

const agent = (name: string, more: object = {}) => ({ name, instructions: `You are ${name}.`, model: name, ...more });
const [a, b, c] = ['a', 'b', 'c'].map((name) => agent(name)) as [never, never, never];
const panel = (agents: unknown[], more: object = {}) => ({ name: 'panel', pattern: 'sequential', agents, ...more });
const desk = (options: object = { person: true }, agents: unknown[] = [a]) => ({ name: 'desk', pattern: 'handoff', agents, options });
const calls = (...named: [string, JsonObject?][]) => ({ calls: named.map(([name, args = {}]) => ({ name, arguments: args })) });

const real = () => ({ environment: server });
const open = (script: Script, more: object = {}) => openWorld({ environment, script, ...more });
const start = async (world: World, pattern: string, input: object) =>
  await world.client.start(pattern, { task: 'go', ...input } as RunInput);
const spoke = (world: World) => world.model.calls.map(({ model }) => model);
const at = (where: TestWorkflowEnvironment, id: string) => where.client.workflow.getHandle(id);
const temporal = (id: string) => at(environment, id);
const isClosed = async (id: string, where = environment) => expect((await at(where, id).describe()).status.name).not.toBe('RUNNING');

/** A promise and what keeps it. */
function gate() {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { open, passed };
}

type Handle = Awaited<ReturnType<World['client']['start']>>;
/** The one request that waits. */
const pending = (run: Handle) =>
  eventually(async () => {
    const [request] = (await run.requests()).filter(({ status }) => status === 'pending');
    expect(request).toBeDefined();
    return request as NonNullable<typeof request>;
  });

// The server that skips time loses queries while runs continue as new, and does not tell a run that one it has started was terminated.
describe.each([
  ['in one execution', {}],
  ['that continues as new after every few events', { historyEvents: 12 }],
])('a run %s', (_, options) => {
  test('waits for a nested run that waits for a person, who answers at the top, through two levels', async () => {
    await using world = await open({ a: ['Which one?', 'the red one then'], b: ['noted'] }, { ...options, ...real() });

    const run = await start(world, 'sequential', { agents: [panel([desk()]), b] });
    const first = await pending(run);
    expect(first).toMatchObject({ kind: 'question', prompt: 'Which one?', agent: 'a' });
    expect(first.requestId).toMatch(/^op-\d+~op-\d+~question-1$/);
    expect((await run.status()).requests).toEqual([first.requestId]);
    await run.respond(first.requestId, 'the red one', { by: 'anna' });
    const second = await pending(run);
    await run.respond(second.requestId, { end: true });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'noted', rounds: 2, usage: { modelCalls: 3 } });
    expect(world.model.calls[1]?.heard('anna', 'the red one')).toBe(true);
    expect((await run.requests()).map(({ status }) => status)).toEqual(['answered', 'answered']);
    expect(spoke(world)).toEqual(['a', 'a', 'b']);
  });

  test('hears of the end of a nested run that took long, and repeats nothing', async () => {
    const slow = gate();
    const held = async () => {
      await slow.passed;
      return 'two';
    };
    await using world = await open({ a: ['one'], b: [held], c: ['three'] }, { ...options, ...real() });

    const run = await start(world, 'sequential', { agents: [a, panel([b]), c] });
    await world.model.called(2);
    if ('historyEvents' in options) {
      await eventually(async () => expect((await run.checkpoint()).continuations).toBeGreaterThan(0));
      expect(await run.status()).toMatchObject({ status: 'running', operations: [{ runId: `${run.id}/2-panel`, member: 'panel' }] });
    }
    slow.open();

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'three', usage: { modelCalls: 3 } });
    expect((await run.status()).operations).toEqual([]);
  });

  test('fails as a nested run fails, and counts what that had used', async () => {
    const usage = { inputTokens: 60, outputTokens: 40 };
    await using world = await open(
      { a: [{ text: 'one', usage }], b: [{ status: 401, body: { error: { message: 'bad key' } } }] },
      { ...options, ...real() },
    );

    const run = await start(world, 'sequential', { agents: [panel([a, b]), c] });

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Refused' });
    await expect(run.result()).rejects.toThrow(/^panel \(run ".*"\): /);
    expect(await run.status()).toMatchObject({ status: 'failed', failure: { type: 'Model.Refused' }, usage: { totalTokens: 100 } });
  });

  test('cancelled gracefully lets the turn in flight of a nested run finish, and nothing starts after it', async () => {
    const slow = gate();
    const held = async () => {
      await slow.passed;
      return 'one';
    };
    await using world = await open({ a: [held] }, { ...options, ...real() });
    const run = await start(world, 'sequential', { agents: [panel([panel([a, b]), b]), c] });
    await world.model.called(1);

    await run.cancel({ reason: 'enough' });
    const innermost = world.client.attach(`${run.id}/1-panel/2-panel`);
    await eventually(async () => expect((await innermost.status()).cancel).toBeDefined());
    slow.open();

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: 'one', stopReason: { code: 'cancelled', message: 'enough' } });
    expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual(['go', 'one']);
    expect(spoke(world)).toEqual(['a']);
    expect(await world.client.attach(`${run.id}/1-panel`).result()).toMatchObject({ status: 'cancelled', output: 'one' });
  });

  test('cancelled gracefully does not wait for a person below', async () => {
    await using world = await open({ a: ['Which one?'] }, { ...options, ...real() });
    const run = await start(world, 'sequential', { agents: [panel([desk()]), c] });
    await pending(run);

    await run.cancel();

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: 'Which one?' });
    expect((await run.requests()).map(({ status }) => status)).toEqual(['withdrawn']);
  });

  test('cancelled immediately ends what is nested in it, at every level', async () => {
    await using world = await open({ a: [{ hang: true }] }, { ...options, ...real() });
    const run = await start(world, 'sequential', { agents: [panel([panel([a])])] });
    await world.model.called(1);

    await run.cancel({ mode: 'immediate' });
    await world.model.aborted(1);

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: null });
    const { nestedRuns } = { nestedRuns: [`${run.id}/1-panel`, `${run.id}/1-panel/2-panel`] };
    for (const id of nestedRuns) expect(await world.client.attach(id).result()).toMatchObject({ status: 'cancelled' });
  });

  test('never waits for a nested run that was terminated', async () => {
    await using world = await open({ a: ['Which one?'] }, { ...options, ...real() });
    const run = await start(world, 'sequential', { agents: [desk()] });
    await pending(run);

    await at(server, `${run.id}/1-desk`).terminate('gone');

    await expect(run.result()).rejects.toMatchObject({ type: 'Nested.Failed' });
    await expect(run.result()).rejects.toThrow(`desk (run "${run.id}/1-desk")`);
    expect((await run.requests()).map(({ status }) => status)).toEqual(['withdrawn']);
  });
});

describe('a nested run is ended', () => {
  test('when the run above fails', async () => {
    const failing = gate();
    const fails = async () => {
      await failing.passed;
      return { status: 401, body: { error: { message: 'bad key' } } };
    };
    await using world = await open({ a: [{ hang: true }], b: [fails] });
    const run = await start(world, 'concurrent', { agents: [panel([a]), b] });
    await world.model.called(2);

    failing.open();
    await world.model.aborted(1);

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Refused' });
    expect(await world.client.attach(`${run.id}/1-panel`).result()).toMatchObject({ status: 'cancelled' });
  });

  test('when the run above is cancelled through Temporal', async () => {
    await using world = await open({ a: ['Which one?'] });
    const run = await start(world, 'sequential', { agents: [desk()] });
    await pending(run);

    await temporal(run.id).cancel();

    expect(await run.result()).toMatchObject({ status: 'cancelled' });
    await eventually(() => isClosed(`${run.id}/1-desk`));
  });

  test('when the member has used up the time it was given, or was asked by one that has', async () => {
    await using world = await open({ a: [{ hang: true }], b: [calls(['ask_c', { message: 'please' }])], c: [{ hang: true }] });
    const run = await start(world, 'concurrent', {
      agents: [panel([a]), agent('b', { tools: [{ agent: c }] }), agent('d', { model: 'd' })],
      options: { failurePolicy: 'collect', memberTimeout: '15 seconds' },
    });
    await world.model.called(4);

    await expect(run.result()).rejects.toMatchObject({ type: 'Turn.TimedOut' });
    for (const id of [`${run.id}/1-panel`, `${run.id}/2.1.0-c`])
      expect(await world.client.attach(id).result()).toMatchObject({ status: 'cancelled', output: null });
  });

  test('by a limit of tokens or of time of the run above, which is an outcome of both', async () => {
    const usage = { inputTokens: 60, outputTokens: 40 };
    await using world = await open(
      {
        a: [
          { text: 'one', usage },
          { text: 'one', usage },
        ],
        b: [{ text: 'two', usage }, { hang: true }],
      },
      real(),
    );

    const tokens = await start(world, 'sequential', { agents: [a, panel([b, c])], limits: { tokens: 150 } });
    expect(await tokens.result()).toMatchObject({
      status: 'stopped',
      output: 'two',
      stopReason: { code: 'limit.tokens' },
      usage: { totalTokens: 200 },
    });
    expect(await world.client.attach(`${tokens.id}/2-panel`).result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.tokens' },
    });

    const time = await start(world, 'sequential', { agents: [a, panel([b, c])], limits: { time: '15 seconds' } });
    expect(await time.result()).toMatchObject({ status: 'stopped', output: 'one', stopReason: { code: 'limit.time' } });
    expect(await world.client.attach(`${time.id}/2-panel`).result()).toMatchObject({ output: null });
    expect(spoke(world)).not.toContain('c');
  });

  test('when the run above was terminated, as soon as it has something to say', async () => {
    const slow = gate();
    const held = async () => {
      await slow.passed;
      return 'one';
    };
    await using world = await open({ a: [held], b: ['two'] }, { ...real() });
    const run = await start(world, 'sequential', { agents: [desk({ person: true }, [a, b])] });
    await world.model.called(1);

    await at(server, run.id).terminate();
    slow.open();

    const inner = world.client.attach(`${run.id}/1-desk`);
    expect(await inner.result()).toMatchObject({
      status: 'cancelled',
      output: 'one',
      stopReason: { message: 'The run that this one is a part of has ended.' },
    });
  });
});

describe('as time passes', () => {
  // What was broken off keeps its server from skipping time, so each test has one of its own.
  let fresh: TestWorkflowEnvironment;
  beforeEach(async () => {
    fresh = await timeSkippingServer();
  });
  afterEach(async () => {
    await fresh?.teardown();
  });

  test('a run knows of a request below that nobody answered', async () => {
    await using world = await open({ a: ['Which one?'], b: ['on we go'] }, { environment: fresh });
    const run = await start(world, 'sequential', { agents: [desk({ person: { timeout: '2 hours' } }), b] });
    const { requestId, expiresAt } = await pending(run);
    expect(expiresAt).toBeDefined();

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'on we go' });
    expect((await run.requests()).map((request) => [request.requestId, request.status])).toEqual([[requestId, 'expired']]);
    await expect(run.respond(requestId, 'too late')).rejects.toMatchObject({ type: 'Run.Closed' });
  });

  // One time in ten or so this server skips no time here, whatever waits, and a new one does.
  const retry = 5;
  test(
    'a nested run finds that the run above has gone without a word, also if it waits for a person for ever, at every level',
    { retry },
    async () => {
      await using world = await open({ a: ['Which one?'] }, { environment: fresh });
      const { workflowId } = await fresh.client.workflow.start('sequential', {
        workflowId: `gone-${world.taskQueue}`,
        taskQueue: world.taskQueue,
        args: [{ task: 'go', agents: [panel([desk()])] }],
        workflowExecutionTimeout: '30 minutes',
      });
      await pending(world.client.attach(workflowId));

      for (const id of [`${workflowId}/1-panel/2-desk`, `${workflowId}/1-panel`])
        expect(await world.client.attach(id).result({ timeout: '20 seconds' })).toMatchObject({
          status: 'cancelled',
          output: 'Which one?',
        });
    },
  );
});

describe('a nested run that ends before anybody has spoken', () => {
  test('by a limit of its own is a failure of its member, not silence', async () => {
    await using world = await open({ a: [{ hang: true }], b: ['two'] });

    const run = await start(world, 'concurrent', {
      agents: [panel([a], { limits: { time: '2 seconds' } }), b],
      options: { failurePolicy: 'collect' },
    });

    expect(await run.result()).toMatchObject({
      output: [
        { member: 'panel', status: 'failed', failure: { type: 'Nested.Failed' } },
        { member: 'b', status: 'completed', output: 'two' },
      ],
    });
  });

  test('by the tokens that are left ends the run above by them as well', async () => {
    const usage = { inputTokens: 60, outputTokens: 40 };
    await using world = await open({ a: [{ ...calls(['ask_b', { message: 'x' }]), usage }], b: [{ text: 'two', usage }] });

    const run = await start(world, 'sequential', { agents: [agent('a', { tools: [{ agent: b }] })], limits: { tokens: 150 } });

    expect(await run.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.tokens' }, usage: { totalTokens: 200 } });
  });
});

describe('what is said at the top reaches a nested run at once', () => {
  test('while a tool of the agent that asked it is still at work', async () => {
    const tool = gate();
    const slow = defineTool({
      name: 'slow',
      description: 'Takes long.',
      input: z.object({}),
      run: async () => {
        await tool.passed;
        return 'at last';
      },
    });
    await using world = await open({ b: [calls(['ask_desk', { message: 'x' }], ['slow']), 'done'], a: ['Which one?'] }, { tools: [slow] });
    const run = await start(world, 'sequential', { agents: [agent('b', { tools: [{ orchestration: desk() }, 'slow'] })] });
    const { requestId } = await pending(run);

    await run.respond(requestId, { end: true });
    await eventually(() => isClosed(`${run.id}/1.1.0-desk`));
    tool.open();

    expect(await run.result()).toMatchObject({ output: 'done' });
  });

  test('while others must still come to a step before the run can continue as new', async () => {
    const slow = gate();
    const held = async () => {
      await slow.passed;
      return 'two';
    };
    await using world = await open({ a: ['Which one?'], b: [held] }, { historyEvents: 5, ...real() });
    const run = await start(world, 'concurrent', { agents: [desk(), b] });
    const { requestId } = await pending(run);

    await run.respond(requestId, { end: true });
    await eventually(() => isClosed(`${run.id}/1-desk`, server));
    slow.open();

    expect(await run.result()).toMatchObject({ output: [{ output: 'Which one?' }, { output: 'two' }] });
  });
});
