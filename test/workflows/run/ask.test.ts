import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunHandle } from '../../../src/client.js';
import type { RunEvent } from '../../../src/contract/event.js';
import { textOf } from '../../../src/index.js';
import type { ScriptedCall, ScriptPart } from '../../../src/testing/index.js';
import type { QuizQuestion } from '../../fixtures/quiz-workflows.js';
import { activitiesIn, historyOf } from '../../support/history.js';
import { openStage, type Stage } from '../../support/stage.js';
import { timeSkippingServer } from '../../support/servers.js';

const workflowsPath = fileURLToPath(new URL('../../fixtures/quiz-workflows.ts', import.meta.url));

let environment: TestWorkflowEnvironment;
let stage: Stage;
beforeAll(async () => {
  environment = await timeSkippingServer();
  stage = await openStage({ environment, workflowsPath, config: { times: { model: { attempts: 3 } } } });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

const right = (answer: number) => JSON.stringify({ answer });

async function quiz(lines: ScriptPart, questions: QuizQuestion[], { on = stage, limits }: { on?: Stage; limits?: object } = {}) {
  const { agent, calls } = on.actor(lines, { name: 'oracle' });
  const options = { questions } as never;
  const run = await on.world.client.start('quiz', { agents: [agent], task: 'Numbers, please.', options, ...(limits && { limits }) });
  return { run, calls };
}

async function eventsOf(run: RunHandle): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.watch()) events.push(event);
  return events;
}

const lastHeard = (call: ScriptedCall | undefined) => call?.messages.at(-1)?.content ?? '';

describe('a question to an agent', () => {
  test('is answered with JSON, and neither a turn nor a part of the conversation', async () => {
    const { run, calls } = await quiz([right(1), right(2)], [{ question: 'One?' }, { question: 'Two?' }]);

    const result = await run.result();

    expect(result).toMatchObject({ status: 'completed', output: [{ answer: 1 }, { answer: 2 }], rounds: 0 });
    expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual(['Numbers, please.']);
    expect(calls[1]?.messages.map(({ role }) => role)).toEqual(['system', 'user', 'user']);
    expect(lastHeard(calls[1])).toContain('Two?');
  });

  test('counts its tokens, and is a step of its own', async () => {
    const usage = { inputTokens: 30, outputTokens: 20 };
    const { run } = await quiz(
      [
        { text: 'hm', usage },
        { text: right(1), usage },
        { text: right(2), usage },
      ],
      [{ question: 'One?' }, { question: 'Two?' }],
    );

    expect((await run.result()).usage).toEqual({ inputTokens: 90, outputTokens: 60, totalTokens: 150, modelCalls: 3 });
    expect(await run.checkpoint()).toMatchObject({ completedSteps: ['1/1', '1/2', '2/1'], completedStepCount: 3 });
  });

  test('shows in the history what it is about, and none of its words', async () => {
    const { run } = await quiz(['secret words', right(1)], [{ question: 'What is the secret?' }]);
    await run.result();

    const { firstRunId } = await run.status();
    const history = await historyOf(environment, run.id, firstRunId);

    expect(activitiesIn(history).filter(({ type }) => type === 'askModel')).toHaveLength(2);
    const summaries = history.flatMap(({ userMetadata }) =>
      userMetadata?.summary?.data ? [Buffer.from(userMetadata.summary.data).toString()] : [],
    );
    expect(summaries).toEqual(expect.arrayContaining(['"oracle: question 1"', '"oracle: question 1, attempt 2"']));
    expect(summaries.join()).not.toContain('secret');
  });

  test('may leave out what was said before a position', async () => {
    const { run, calls } = await quiz([right(1)], [{ question: 'One?', from: 1 }]);

    await run.result();

    expect(calls[0]?.heard('Numbers, please.')).toBe(false);
  });
});

describe('an answer that cannot be used', () => {
  test.each([
    ['without JSON', 'I would say one.', 'There is no JSON in it.'],
    ['of another form', '{"answer": "one"}', 'answer must be a number'],
    ['that breaks a rule', right(7), 'it must be 1'],
  ])('%s is told back, and the agent asked again', async (_, answer, problem) => {
    const { run, calls } = await quiz([answer, right(1)], [{ question: 'One?', only: 1 }]);

    expect((await run.result()).output).toEqual([{ answer: 1 }]);

    expect(calls[1]?.messages.at(-2)).toMatchObject({ role: 'assistant', content: answer });
    expect(lastHeard(calls[1])).toContain(problem);
    expect((await eventsOf(run)).filter(({ type }) => type === 'decision.refused')).toMatchObject([
      { by: 'oracle', reason: expect.stringContaining('question 1: ') as string, step: '1/1', turn: 1 },
    ]);
  });

  test('is told back only in part when it is long', async () => {
    const { run, calls } = await quiz(['long '.repeat(10_000), right(1)], [{ question: 'One?' }]);

    await run.result();

    expect(calls[1]?.messages.at(-2)?.content.length).toBeLessThanOrEqual(2000);
  });

  test('fails the run after so many attempts', async () => {
    const { run, calls } = await quiz(['a', 'b', 'c', right(1)], [{ question: 'One?' }]);

    await expect(run.result()).rejects.toMatchObject({
      type: 'Manager.Failed',
      message: 'oracle gave no usable answer to "question 1" in 3 attempts. The last: There is no JSON in it.',
    });
    expect(calls).toHaveLength(3);
    expect(calls[2]?.messages.filter(({ role }) => role === 'assistant').map(({ content }) => content)).toEqual(['a', 'b']);
  });

  test('is asked for as often as the question says', async () => {
    const { run, calls } = await quiz(['a'], [{ question: 'One?', attempts: 1 }]);

    await expect(run.result()).rejects.toMatchObject({ type: 'Manager.Failed' });
    expect(calls).toHaveLength(1);
  });

  test('is replaced where the question has something to go on with', async () => {
    const { run } = await quiz([right(7), right(8)], [{ question: 'One?', only: 1, attempts: 2, fallback: 0 }]);

    expect((await run.result()).output).toEqual([{ answer: 0, problem: 'it must be 1' }]);
  });

  test('is taken at its words where they will do: at once without JSON, at last with other JSON', async () => {
    const { run, calls } = await quiz(
      ['one, I think [1]', '{"number": 1}', '{"number": 2}'],
      [
        { question: 'One?', plain: true },
        { question: 'Two?', plain: true, attempts: 2, fallback: 0 },
      ],
    );

    expect((await run.result()).output).toEqual([{ words: 'one, I think [1]' }, { words: '{"number": 2}' }]);
    expect(calls).toHaveLength(3);
  });

  test('is not taken at its words when it had the form and broke a rule', async () => {
    const { run } = await quiz([right(7)], [{ question: 'One?', only: 1, plain: true, attempts: 1, fallback: 0 }]);

    expect((await run.result()).output).toEqual([{ answer: 0, problem: 'it must be 1' }]);
  });
});

describe('a model that does not answer', () => {
  test('is tried again as in a turn, and counts as one attempt', async () => {
    const { run, calls } = await quiz([{ status: 503 }, { reset: true }, right(1)], [{ question: 'One?', attempts: 1 }]);

    expect((await run.result()).output).toEqual([{ answer: 1 }]);
    expect(calls).toHaveLength(3);
    expect(await run.checkpoint()).toMatchObject({ retryCount: 2 });
  });

  test('for as long as it is tried fails the run', async () => {
    const { run } = await quiz(() => ({ status: 503 }), [{ question: 'One?', fallback: 0 }]);

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Unavailable' });
  });

  test('because it refuses fails the run at once', async () => {
    const { run, calls } = await quiz([{ status: 401 }], [{ question: 'One?', fallback: 0 }]);

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Refused' });
    expect(calls).toHaveLength(1);
  });
});

describe('a run that is ended between two attempts', () => {
  test('by a cancel lets the attempt in flight end, and asks no more', async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const { run, calls } = await quiz([async () => (await released, 'hm'), right(1)], [{ question: 'One?' }]);
    while (calls.length === 0) await stage.world.model.called(stage.world.model.calls.length + 1);

    await run.cancel();
    release();

    expect(await run.result()).toMatchObject({ status: 'cancelled', usage: { modelCalls: 1 } });
    expect(calls).toHaveLength(1);
  });

  test('by the limit of tokens asks no more', async () => {
    const usage = { inputTokens: 60, outputTokens: 50 };
    const { run, calls } = await quiz([{ text: 'hm', usage }, right(1)], [{ question: 'One?' }], { limits: { tokens: 100 } });

    expect(await run.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.tokens' } });
    expect(calls).toHaveLength(1);
  });
});

test('a run that continues as new asks no question twice, and forgets no attempt', async () => {
  await using short = await openStage({ environment, workflowsPath, historyEvents: 5 });
  const lines = ['hm', 'well', right(1), right(2), 'no', right(3)];
  const { run, calls } = await quiz(lines, [{ question: 'One?' }, { question: 'Two?' }, { question: 'Three?' }], { on: short });

  expect((await run.result()).output).toEqual([{ answer: 1 }, { answer: 2 }, { answer: 3 }]);

  expect(calls).toHaveLength(6);
  expect(calls[2]?.messages.filter(({ role }) => role === 'assistant').map(({ content }) => content)).toEqual(['hm', 'well']);
  expect((await run.checkpoint()).continuations).toBeGreaterThanOrEqual(2);
});
