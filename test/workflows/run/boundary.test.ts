import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { RunEvent } from '../../../src/contract/event.js';
import { defineTool } from '../../../src/index.js';
import { activitiesIn, historyOf } from '../../support/history.js';
import { openStage, type Stage } from '../../support/stage.js';
import { timeSkippingServer } from '../../support/servers.js';

const kilobyte = 1024;
const text = (name: string, bytes: number) => `${name} `.repeat(Math.ceil(bytes / (name.length + 1))).slice(0, bytes);

const keys: string[] = [];
const read = defineTool({
  name: 'read',
  description: 'Reads a page.',
  input: z.object({ page: z.string(), bytes: z.number() }),
  run: ({ page, bytes }, { idempotencyKey }) => {
    keys.push(idempotencyKey);
    return text(page, bytes);
  },
});

let environment: TestWorkflowEnvironment;
let stage: Stage;
beforeAll(async () => {
  environment = await timeSkippingServer();
  stage = await openStage({ environment, tools: [read] });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

type Run = Awaited<ReturnType<Stage['world']['client']['start']>>;

async function historyOfRun(run: Run) {
  return await historyOf(environment, run.id, (await run.status()).firstRunId);
}

async function eventsOf(run: Run): Promise<RunEvent[]> {
  const events = [];
  for await (const event of run.watch()) events.push(event);
  return events;
}

describe('a conversation of 700 KB', () => {
  const pages = Array.from({ length: 60 }, (_, i) => `page-${i}`);

  test('is sealed as it grows; every call and every reader still has all of it, in order', async () => {
    const script = [...pages.map((page) => ({ calls: [{ name: 'read', arguments: { page, bytes: 12_000 } }] })), 'all read'];
    const { agent, calls } = stage.actor(script, { tools: ['read'], maxToolRounds: 100 });
    const run = await stage.world.client.start('sequential', { agents: [agent], task: 'read them all' });

    expect((await run.result()).output).toBe('all read');
    const heard = calls.at(-1)!.messages.filter(({ role }) => role === 'tool');
    expect(heard.map(({ content }) => content)).toEqual(pages.map((page) => text(page, 12_000)));
    const said = await run.transcript();
    expect(
      said.flatMap(({ message }) => message.contents).flatMap((content) => (content.$type === 'functionResult' ? content.result : [])),
    ).toEqual(pages.map((page) => text(page, 12_000)));
    expect(said).toHaveLength(122);

    const { transcript } = await run.checkpoint();
    expect(transcript.segments.length).toBeGreaterThanOrEqual(2);
    expect(transcript.segments.reduce((end, { from, count }) => (from === end ? end + count : NaN), 0)).toBeLessThanOrEqual(122);
    const modelCalls = activitiesIn(await historyOfRun(run)).filter(({ type }) => type === 'callModel');
    expect(Math.max(...modelCalls.map(({ inputBytes }) => inputBytes))).toBeLessThan(4 * kilobyte);
  });
});

describe('a run that continues as new in the middle of its tool rounds', () => {
  const rounds = Array.from({ length: 12 }, (_, i) => [`left-${i}`, `right-${i}`]);
  const script = [
    ...rounds.map((pages) => ({ calls: pages.map((page) => ({ name: 'read', arguments: { page, bytes: 15_000 } })) })),
    'all read',
  ];

  test('repeats nothing, loses nothing, and carries no conversation', async () => {
    await using short = await openStage({ environment, tools: [read], historyEvents: 25 });
    const { agent, calls } = short.actor(script, { tools: ['read'] });
    keys.length = 0;
    const run = await short.world.client.start('sequential', { agents: [agent], task: 'read them all' });

    expect(await run.result()).toMatchObject({ output: 'all read', rounds: 1, usage: { modelCalls: 13 } });
    expect(calls).toHaveLength(13);
    expect(new Set(keys).size).toBe(24);
    expect(keys).toHaveLength(24);
    const heard = calls.at(-1)!.messages.filter(({ role }) => role === 'tool');
    expect(heard.map(({ content }) => content)).toEqual(rounds.flat().map((page) => text(page, 15_000)));

    const { continuations, completedSteps, completedStepCount } = await run.checkpoint();
    expect(continuations).toBeGreaterThan(3);
    expect(completedStepCount).toBe(37);
    expect(new Set(completedSteps).size).toBe(37);
    expect(await run.transcript()).toHaveLength(1 + 12 * 3 + 1);

    const starts = (await historyOfRun(run)).flatMap((event) => event.workflowExecutionStartedEventAttributes ?? []);
    expect(starts).toHaveLength(continuations + 1);
    for (const { input } of starts) expect(input?.payloads?.[0]?.data?.length).toBeLessThan(80 * kilobyte);
  });

  test('is one run to those who watch it', async () => {
    await using short = await openStage({ environment, tools: [read], historyEvents: 25 });
    const { agent } = short.actor(script, { tools: ['read'] });
    const run = await short.world.client.start('sequential', { agents: [agent], task: 'read them all' });
    await run.result();

    const events = await eventsOf(run);
    const of = (type: string) => events.filter((event) => event.type === type);
    expect([of('run.started'), of('turn.started'), of('turn.completed'), of('run.finished')].map(({ length }) => length)).toEqual([
      1, 1, 1, 1,
    ]);
    expect(of('tool.returned')).toHaveLength(24);
    expect(of('run.continued').map((event) => event.type === 'run.continued' && event.continuations)).toEqual(
      Array.from({ length: (await run.checkpoint()).continuations }, (_, i) => i + 1),
    );
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  });
});
