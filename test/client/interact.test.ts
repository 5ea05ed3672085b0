import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AskedRequest, RunHandle } from '../../src/client.js';
import type { Json, RequestView } from '../../src/index.js';
import { eventually } from '../support/eventually.js';
import { devServer } from '../support/servers.js';
import { openStage, type Stage } from '../support/stage.js';

let environment: TestWorkflowEnvironment;
let stage: Stage;
beforeAll(async () => {
  environment = await devServer();
  stage = await openStage({ environment, historyEvents: 12, config: { worker: { sleepAfterMs: 500 } } });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

/** An agent that asks a person after each of its lines. */
async function desk(lines: string[], more: object = {}): Promise<RunHandle> {
  const { agent } = stage.actor(lines, { name: 'clerk' });
  return await stage.world.client.start('handoff', { agents: [agent], task: 'Buy tea', options: { person: true }, ...more });
}

const other = (run: RunHandle) => stage.world.client.attach(run.id);

describe('interact', () => {
  test('hears every message and is asked every request, to the end of the run', async () => {
    const run = await desk(['Green or black?', 'How much?', 'Done.']);
    const answers: Json[] = ['Black.', 'A pound.', { message: 'Thanks.', end: true }];
    const heard: string[] = [];

    const { status, output } = await run.interact({
      by: 'anna',
      onMessage: ({ agent, text }) => void heard.push(`${agent}: ${text}`),
      onRequest: ({ prompt }) => {
        heard.push(`? ${prompt}`);
        return answers.shift();
      },
    });

    expect({ status, output }).toEqual({ status: 'completed', output: 'Done.' });
    expect(heard).toEqual(['Green or black?', 'How much?', 'Done.'].flatMap((text) => [`clerk: ${text}`, `? ${text}`]));
    expect((await run.requests()).map(({ by }) => by)).toEqual(['anna', 'anna', 'anna']);
  });

  test('comes later, and hears what was said and is asked what waited before, once', async () => {
    const run = await desk(['Green or black?']);
    await eventually(async () => expect(await run.requests()).toHaveLength(1));
    const heard: string[] = [];

    await other(run).interact({
      onMessage: ({ text }) => void heard.push(text),
      onRequest: ({ requestId }) => {
        heard.push(requestId);
        return { end: true };
      },
    });

    expect(heard).toEqual(['Green or black?', 'question-1']);
  });

  test('is asked again, with the problem, after an answer that does not fit', async () => {
    const run = await desk(['Green or black?']);
    const problems: (string | undefined)[] = [];

    await run.interact({
      onRequest: (_, { problem }) => {
        problems.push(problem);
        return problem === undefined ? 42 : { end: true };
      },
    });

    expect(problems).toEqual([undefined, expect.stringContaining('must be')]);
  });

  test('does not ask for ever where nothing is learnt; onError hears of it, and the request waits on', async () => {
    const run = await desk(['Green or black?']);
    const errors: unknown[] = [];
    let asked = 0;
    const interaction = run.interact({
      onRequest: () => {
        asked += 1;
        return 42;
      },
      onError: (error) => errors.push(error),
    });

    await eventually(() => expect(errors).toMatchObject([{ type: 'Input.Invalid' }]));
    await run.respond('question-1', { end: true });

    expect(await interaction).toMatchObject({ status: 'completed' });
    expect(asked).toBe(20);
  });

  test('leaves a request to others, and is told when they have answered', async () => {
    const run = await desk(['Green or black?']);
    let given: AskedRequest | undefined;
    const interaction = run.interact({
      onRequest: async (_, asked) => {
        given = asked;
        await new Promise((resolve) => asked.signal.addEventListener('abort', resolve));
        return 'too late';
      },
    });
    await eventually(() => expect(given).toBeDefined());

    await other(run).respond('question-1', { message: 'Black.', end: true }, { by: 'ben' });

    expect(await interaction).toMatchObject({ status: 'completed' });
    expect(given?.signal.aborted).toBe(true);
    expect(await run.requests()).toMatchObject([{ by: 'ben' }]);
  });

  test('goes on with several at once on one run: one answer counts, and nobody fails', async () => {
    const run = await desk(['Green or black?', 'Thank you.']);
    const by = async (name: string, handle: RunHandle) =>
      await handle.interact({ by: name, onRequest: ({ requestId }) => (requestId === 'question-1' ? `I am ${name}.` : { end: true }) });

    const outcomes = await Promise.all(['anna', 'ben', 'carla'].map((name) => by(name, other(run))));

    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'completed', output: 'Thank you.' });
    expect((await run.requests()).filter(({ status }) => status === 'answered')).toHaveLength(2);
  });

  test('answers requests of nested runs by their ids at the top', async () => {
    const { agent } = stage.actor(['Which one?'], { name: 'clerk' });
    const boss = stage.actor(['Over.'], { name: 'boss' }).agent;
    const inner = { name: 'inner', pattern: 'handoff', agents: [agent], options: { person: true } };
    const run = await stage.world.client.start('sequential', { agents: [inner, boss] as never, task: 'go' });
    const asked: RequestView[] = [];

    const { output } = await run.interact({
      onRequest: (request) => {
        asked.push(request);
        return { message: 'That one.', end: true };
      },
    });

    expect(output).toBe('Over.');
    expect(asked).toMatchObject([{ requestId: 'op-1~question-1', prompt: 'Which one?' }]);
  });

  test('goes on over sleep and continue-as-new', async () => {
    const run = await desk(['One?', 'Two?', 'Three?', 'Four?']);
    let asked = 0;

    await run.interact({
      onRequest: async () => {
        asked += 1;
        await eventually(async () => expect((await run.status()).asleep).toBeDefined());
        return asked === 4 ? { end: true } : 'Go on.';
      },
    });

    expect(asked).toBe(4);
    expect((await run.checkpoint()).continuations).toBeGreaterThan(3);
  });

  test('ends with the run, also when a question is still being thought about', async () => {
    const run = await desk(['Green or black?']);
    let signal: AbortSignal | undefined;
    const interaction = run.interact({
      onRequest: async (_, asked) => {
        signal = asked.signal;
        return await new Promise<never>(() => undefined);
      },
    });
    await eventually(() => expect(signal).toBeDefined());

    await other(run).cancel();

    expect(await interaction).toMatchObject({ status: 'cancelled' });
    expect(signal?.aborted).toBe(true);
  });

  test('fails as the run does', async () => {
    const run = await stage.world.client.start('handoff', { agents: ['nobody-knows'], task: 'go' }, { id: randomUUID() });

    await expect(run.interact({ onRequest: () => undefined })).rejects.toMatchObject({ type: 'Input.UnknownAgent' });
  });

  test('ends by its signal, and the run goes on', async () => {
    const run = await desk(['Green or black?']);
    const leaving = new AbortController();
    const interaction = run.interact({ onRequest: () => leaving.abort(new Error('I leave')), signal: leaving.signal });

    await expect(interaction).rejects.toThrow('I leave');

    expect((await run.status()).requests).toEqual(['question-1']);
    await run.cancel();
  });

  test('a callback that throws ends it, unless onError hears of that: then the rest goes on', async () => {
    const run = await desk(['Green or black?']);
    const broken = { onMessage: () => Promise.reject(new Error('deaf')), onRequest: () => Promise.reject(new Error('dumb')) };
    const errors: unknown[] = [];

    await expect(run.interact(broken)).rejects.toThrow('deaf');
    const interaction = run.interact({ ...broken, onError: (error) => errors.push(error) });
    await eventually(() => expect(errors).toMatchObject([{ message: 'deaf' }, { message: 'dumb' }]));
    await run.respond('question-1', { end: true });

    expect(await interaction).toMatchObject({ status: 'completed' });
  });
});
