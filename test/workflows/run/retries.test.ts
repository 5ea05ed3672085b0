import { once } from 'node:events';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { RunEvent } from '../../../src/contract/event.js';
import { defineTool, type ToolContext } from '../../../src/index.js';
import { activitiesIn, historyOf } from '../../support/history.js';
import { openStage, type Stage } from '../../support/stage.js';
import { timeSkippingServer } from '../../support/servers.js';

/** What was tried, by the text that the call was given. */
const attempts = new Map<string, ToolContext[]>();
const input = z.object({ text: z.string(), failsUntil: z.number() });
const tries = ({ text, failsUntil }: z.output<typeof input>, context: ToolContext) => {
  attempts.set(text, [...(attempts.get(text) ?? []), context]);
  if (context.attempt >= failsUntil) return `done at attempt ${context.attempt}`;
  throw text === 'hopeless' ? ApplicationFailure.nonRetryable('no such printer') : new Error('out of paper');
};
const hangs = async ({ text, failsUntil }: z.output<typeof input>, context: ToolContext) => {
  attempts.set(text, [...(attempts.get(text) ?? []), context]);
  if (context.attempt >= failsUntil) return `done at attempt ${context.attempt}`;
  await once(context.signal, 'abort');
  throw context.signal.reason;
};
const tools = [
  defineTool({ name: 'careless', description: 'No policy.', input, run: tries }),
  defineTool({ name: 'thrice', description: 'Three attempts.', input, run: tries, retry: 3 }),
  defineTool({ name: 'single', description: 'One attempt.', input, run: tries, retry: 'none' }),
  defineTool({ name: 'slow', description: 'Times out.', input, run: hangs, timeout: '4 seconds' }),
  defineTool({ name: 'slowSingle', description: 'Times out, once.', input, run: hangs, timeout: '4 seconds', retry: 'none' }),
];

let environment: TestWorkflowEnvironment;
let stage: Stage;
beforeAll(async () => {
  environment = await timeSkippingServer();
  stage = await openStage({ environment, tools, config: { times: { model: { attemptMs: 6000 } } } });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

async function play(...actor: Parameters<Stage['actor']>) {
  const { agent, calls } = stage.actor(...actor);
  const run = await stage.world.client.start('sequential', { agents: [agent], task: 'go' });
  return { run, calls };
}

type Run = Awaited<ReturnType<typeof play>>['run'];

/** Seconds between the first attempt and the last one, on the server's clock. */
async function secondsUntilLastAttempt(run: Run, type = 'callModel'): Promise<number> {
  const { firstRunId } = await run.status();
  const call = activitiesIn(await historyOf(environment, run.id, firstRunId)).find((activity) => activity.type === type);
  return ((call?.startedAt ?? NaN) - (call?.scheduledAt ?? NaN)) / 1000;
}

async function eventsOf(run: Run): Promise<RunEvent[]> {
  const events = [];
  for await (const event of run.watch()) events.push(event);
  return events;
}

describe('a model call is tried again after', () => {
  test.each([
    ['a server error', { status: 500 }],
    ['a gateway error with a page of HTML', { status: 502, body: '<html>Bad gateway</html>' }],
    ['a request timeout', { status: 408 }],
    ['a conflict', { status: 409 }],
    ['a connection that is reset', { reset: true as const }],
    ['a connection that is reset in the middle', { reset: true as const, text: 'I was about' }],
    ['a stream without an end', { cut: true as const, text: 'I was about' }],
    ['a stream that says nothing', { cut: true as const }],
    ['a stream that is not JSON', { raw: ['data: <html>\n\n'] }],
    ['an answer that does not come', { hang: true as const }],
    ['an answer that stops in the middle', { hang: true as const, text: 'I was about' }],
  ])('%s', async (_, fault) => {
    const { run, calls } = await play([fault, 'better']);

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'better' });
    expect(calls).toHaveLength(2);
    expect(await run.checkpoint()).toMatchObject({ retryCount: 1, completedSteps: ['1/1'] });
    expect(calls[1]?.messages).toEqual(calls[0]?.messages);
  });
});

describe('a provider that asks us to wait', () => {
  test.each([
    ['in seconds', () => ({ 'retry-after': '120' }), 120],
    ['in milliseconds, which say it best', () => ({ 'retry-after-ms': '95500', 'retry-after': '7' }), 95.5],
    ['until a date', () => ({ 'retry-after': new Date(Date.now() + 200_000).toUTCString() }), 199],
    ['for an hour, is tried after five minutes', () => ({ 'retry-after': '3600' }), 300],
    ['and does not say how long, is tried after a second', () => ({}), 1],
  ])('%s', async (_, headers, seconds) => {
    const { run, calls } = await play([() => ({ status: 429, headers: headers() }), 'thank you']);

    expect((await run.result()).output).toBe('thank you');
    expect(calls).toHaveLength(2);
    const waited = await secondsUntilLastAttempt(run);
    expect(waited).toBeGreaterThanOrEqual(seconds - 1);
    // On a busy machine an attempt may take its time, too.
    expect(waited).toBeLessThan(seconds + 60);
  });
});

describe('a model call is not tried again after', () => {
  test.each([
    ['a bad request', { status: 400 }, 'Model.Refused'],
    ['a bad key', { status: 401 }, 'Model.Refused'],
    ['an unknown model', { status: 404 }, 'Model.Refused'],
    ['an account without credit', { status: 429, body: { error: { message: 'pay', code: 'insufficient_quota' } } }, 'Model.Refused'],
    ['a reply that the content filter stopped', { text: 'How to', finishReason: 'content_filter' }, 'Model.Refused'],
    [
      'a conversation that is too long',
      { status: 400, body: { error: { message: 'long', code: 'context_length_exceeded' } } },
      'Model.ContextLength',
    ],
  ])('%s', async (_, fault, type) => {
    const { run, calls } = await play([fault, 'better']);

    await expect(run.result()).rejects.toMatchObject({ type });
    expect(calls).toHaveLength(1);
    expect(await run.status()).toMatchObject({ status: 'failed', failure: { type } });
    expect((await eventsOf(run)).at(-1)).toMatchObject({ type: 'run.failed', failure: { type } });
  });
});

describe('a model that says nothing', () => {
  test('is asked once more, and both calls are paid for', async () => {
    const usage = { inputTokens: 10, outputTokens: 1 };
    const { run, calls } = await play([
      { text: '  ', usage },
      { text: 'words', usage },
    ]);

    expect(await run.result()).toMatchObject({ output: 'words', usage: { inputTokens: 20, outputTokens: 2, modelCalls: 2 } });
    expect(calls).toHaveLength(2);
    expect(await run.checkpoint()).toMatchObject({ retryCount: 0 });
  });

  test('twice ends the turn', async () => {
    const { run, calls } = await play([{ text: '' }, { text: '' }, 'too late']);

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Empty' });
    expect(calls).toHaveLength(2);
  });
});

describe('a model call that fails every time', () => {
  test('is given up after six attempts, with the last reason', async () => {
    const down = (minute: number) => ({ status: 503, body: { error: { message: `down since minute ${minute}` } } });
    const { run, calls } = await play([1, 2, 3, 4, 5, 6, 7].map(down));

    const failure = await run.result().catch((error: unknown) => error as Error & { type: string });

    expect(failure).toMatchObject({ type: 'Model.Unavailable', message: expect.stringContaining('down since minute 6') as string });
    expect(calls).toHaveLength(6);
    // One, two, four, eight and sixteen seconds of patience.
    expect(await secondsUntilLastAttempt(run)).toBeGreaterThanOrEqual(31);
  });
});

describe('watchers of a reply that broke off', () => {
  test('are told to forget its words, and can tell the attempts apart', async () => {
    const { run } = await play([{ cut: true, text: 'It was a dark' }, { text: 'It was noon' }]);
    await run.result();

    const events = (await eventsOf(run)).filter(({ step }) => step === '1/1');
    const said = (attempt: number) =>
      events.flatMap((event) => (event.type === 'delta' && event.attempt === attempt ? event.text : [])).join('');
    expect([said(1), said(2)]).toEqual(['It was a dark', 'It was noon']);
    const restarted = events.findIndex(({ type }) => type === 'step.restarted');
    expect(events[restarted]).toMatchObject({ attempt: 2, turn: 1, agent: 'actor' });
    expect(events.slice(0, restarted).every(({ attempt }) => attempt === 1)).toBe(true);
    expect(events.slice(restarted).every(({ attempt }) => attempt === 2)).toBe(true);
    expect(events.filter(({ type }) => type === 'message.completed')).toMatchObject([{ attempt: 2, text: 'It was noon' }]);
  });
});

describe('a tool that fails', () => {
  const call = (name: string, text: string, failsUntil: number) => ({ calls: [{ name, arguments: { text, failsUntil } }] });
  const offered = { tools: tools.map(({ name }) => name) };

  test.each([
    ['without a policy is not tried again', 'careless', 'a', 2, 1, 'The tool "careless" failed: out of paper'],
    ["with retry: 'none' is not tried again", 'single', 'b', 2, 1, 'The tool "single" failed: out of paper'],
    ['with retry: 3 is tried again', 'thrice', 'c', 3, 3, 'done at attempt 3'],
    ['with retry: 3 is given up after the third attempt', 'thrice', 'd', 9, 3, 'The tool "thrice" failed: out of paper'],
    ['for good is not tried again', 'thrice', 'hopeless', 9, 1, 'The tool "thrice" failed: no such printer'],
    ['by silence is stopped and tried again', 'slow', 'e', 2, 2, 'done at attempt 2'],
    [
      "by silence, with retry: 'none', is stopped, and its outcome is unknown",
      'slowSingle',
      'f',
      2,
      1,
      'it is not known whether it took effect',
    ],
  ])('%s', async (_, name, text, failsUntil, most, told) => {
    const { run, calls } = await play([call(name, text, failsUntil), 'I see'], offered);

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'I see' });
    expect(calls[1]?.messages.at(-1)?.content).toContain(told);
    const tried = attempts.get(text) ?? [];
    expect(tried.map(({ attempt }) => attempt)).toEqual(Array.from({ length: most }, (__, i) => i + 1));
    expect(new Set(tried.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    expect(await run.checkpoint()).toMatchObject({ retryCount: most - 1 });
  });

  test('by silence is told to stop', async () => {
    const { run } = await play([call('slow', 'g', 2), 'I see'], offered);
    await run.result();

    const [first, second] = attempts.get('g')!.map(({ signal }) => signal);
    if (!first?.aborted) await once(first!, 'abort');
    expect([first?.aborted, second?.aborted]).toEqual([true, false]);
  });
});
