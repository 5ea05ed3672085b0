import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { defineAgent, defineFunction, defineOrchestration, textOf, type Json } from '../../src/index.js';
import type { OstinatoClient, RunHandle } from '../../src/client.js';
import type { Problem } from '../../src/contract/problems.js';
import { openWorld } from '../support/world.js';
import { timeSkippingServer } from '../support/servers.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const judge = defineAgent({ name: 'judge', instructions: 'Judge.', model: 'judge' });
const count = defineFunction({ name: 'count', run: ({ score }: { score: number }) => ({ twice: 2 * score }) });

const Order = z.object({
  text: z.string().trim(),
  language: z.string().default('English'),
  copies: z.coerce.number().optional(),
});
const Verdict = z.object({
  score: z.number(),
  notes: z.array(z.string()).default([]),
  at: z.iso.date().transform((day) => new Date(day)),
});
const base = { pattern: 'sequential' as const, agents: [judge] };
const typed = defineOrchestration({ ...base, name: 'typed', input: Order, output: Verdict });
const plain = defineOrchestration({ ...base, name: 'plain' });
const inJson = defineOrchestration({
  ...base,
  name: 'inJson',
  input: { schema: { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] } },
  output: { schema: { type: 'object' } },
});
const counting = defineOrchestration({ ...base, name: 'counting', output: { schema: Verdict, transform: count } });
const all = [typed, plain, inJson, counting];

/** What the agent of a run was told. */
async function heard(run: RunHandle<unknown>): Promise<unknown> {
  const [task] = await run.transcript();
  return JSON.parse(textOf(task!.message));
}

async function problemsOf(starting: Promise<unknown>): Promise<Problem[]> {
  const failure = await starting.catch((error: unknown) => error as { type: string; details: [Problem[]] });
  expect(failure).toMatchObject({ type: 'Input.Invalid' });
  return (failure as { details: [Problem[]] }).details[0];
}

describe('the types of an orchestration', () => {
  /** Never called: the compiler reads it. */
  const compiled = async (client: OstinatoClient) => {
    const run = await client.start(typed, { task: { text: 'a' } });
    const result = await run.result();
    if (result.status === 'completed') expectTypeOf(result.output).toEqualTypeOf<{ score: number; notes: string[]; at: Date }>();
    else expectTypeOf(result.output).toEqualTypeOf<Json>();
    const { status, output } = await run.result();
    if (status === 'completed') expectTypeOf(output).toEqualTypeOf<z.output<typeof Verdict>>();
    expectTypeOf(client.attach('id', typed)).toEqualTypeOf<RunHandle<z.output<typeof Verdict>>>();
    expectTypeOf(client.attach('id')).toEqualTypeOf<RunHandle>();

    // @ts-expect-error a task of another form
    await client.start(typed, { task: { text: 7 } });
    // @ts-expect-error words are no order
    await client.start(typed, { task: 'write' });
    // @ts-expect-error a misspelt option
    await client.start(typed, { task: { text: 'a' }, options: { contextMod: 'full' } });
    // @ts-expect-error it has its own forms
    await client.start(typed, { task: { text: 'a' }, output: {} });
    await client.start(typed, { task: { text: 'a', copies: '3' }, limits: { turns: 1 }, options: { contextMode: 'full' } });

    expectTypeOf((await (await client.start(plain, { task: 'go' })).result()).output).toEqualTypeOf<Json>();
    await client.start(plain, { task: [{ role: 'user', contents: [{ $type: 'text', text: 'go' }] }] });
    expectTypeOf((await (await client.start(inJson, { task: { a: 1 } })).result()).output).toEqualTypeOf<Json>();
    expectTypeOf((await (await client.start(counting, { task: 'go' })).result()).output).toEqualTypeOf<Json>();
    expectTypeOf((await (await client.start('sequential', { task: 'go', agents: ['judge'] })).result()).output).toEqualTypeOf<Json>();

    const withShapes = defineOrchestration({
      ...base,
      name: 'shapes',
      input: { schema: Order, transform: 'spell' },
      output: { schema: Verdict, from: 'conversation', agent: judge },
    });
    const shaped = await (await client.start(withShapes, { task: { text: 'a' } })).result();
    if (shaped.status === 'completed') expectTypeOf(shaped.output).toEqualTypeOf<z.output<typeof Verdict>>();
    // @ts-expect-error a task of another form
    await client.start(withShapes, { task: { txt: 'a' } });

    // @ts-expect-error options of another pattern
    defineOrchestration({ ...base, name: 'wrong', options: { maxRounds: 3 } });
    // Whatever they take and give, they are members of one another.
    defineOrchestration({
      name: 'outer',
      pattern: 'concurrent',
      agents: [typed, plain, counting],
      options: { aggregator: { function: count } },
    });
  };

  test('are those of its schemas', () => {
    expect(compiled).toBeTypeOf('function');
    type Typed = NonNullable<(typeof typed)['types']>;
    expectTypeOf<Typed['task']>().toEqualTypeOf<{ text: string; language?: string | undefined; copies?: unknown }>();
    expectTypeOf<Typed['result']>().toEqualTypeOf<{ score: number; notes: string[]; at: Date }>();
    expectTypeOf<NonNullable<(typeof plain)['types']>['result']>().toEqualTypeOf<Json>();
    expectTypeOf<NonNullable<(typeof counting)['types']>['result']>().toEqualTypeOf<Json>();
    expectTypeOf<NonNullable<(typeof inJson)['types']>['result']>().toEqualTypeOf<Json>();
  });
});

describe('a run of an orchestration with schemas', () => {
  const reply = '{ "score": 7, "at": "2026-01-02" }';
  const result = { score: 7, notes: [], at: new Date('2026-01-02') };

  test('is told the task as its schema reads it, and its result is read by the other one', async () => {
    await using world = await openWorld({ environment, orchestrations: all, script: [reply] });

    const run = await world.client.start(typed, { task: { text: '  tea ', copies: '3' } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: result });
    expect(await heard(run)).toEqual({ text: 'tea', language: 'English', copies: 3 });
    expect(world.model.calls[0]?.messages.at(-1)?.content).toBe('{\n  "text": "tea",\n  "language": "English",\n  "copies": 3\n}');
  });

  test('is come back to with the same types, by anybody who has the definition', async () => {
    await using world = await openWorld({ environment, orchestrations: all, script: [reply] });
    const { id } = await world.client.start(typed, { task: { text: 'tea' } });

    const outcome = await world.client.attach(id, typed).result();

    expect(outcome.status === 'completed' && outcome.output.at).toEqual(new Date('2026-01-02'));
    // Without the definition it is what was sent.
    expect((await world.client.attach(id).result()).output).toEqual({ score: 7, at: '2026-01-02' });
  });

  test('is started as well by name and in JSON, which zod has no part in', async () => {
    await using world = await openWorld({ environment, orchestrations: all, script: [reply] });

    const run = await world.client.start('sequential', { orchestration: 'typed', task: { text: ' tea' } });

    expect((await run.result()).output).toEqual({ score: 7, at: '2026-01-02' });
    expect(await heard(run)).toEqual({ text: ' tea' });
  });

  test('that was ended has the output that it has', async () => {
    await using world = await openWorld({ environment, orchestrations: all, script: [{ hang: true }] });
    const run = await world.client.start(typed, { task: { text: 'tea' } });
    await world.model.called(1);
    await run.cancel({ mode: 'immediate' });

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: null });
  });

  test('fails where its result does not fit, with every problem', async () => {
    await using world = await openWorld({
      environment,
      orchestrations: all,
      script: ['{ "score": "high", "notes": [1], "at": "2026-01-02" }'],
    });

    const run = await world.client.start(typed, { task: { text: 'tea' } });

    const failure = (await run.result().catch((error: unknown) => error)) as Error & { details: [Problem[]] };
    expect(failure).toMatchObject({ type: 'Output.Invalid' });
    expect(failure.details[0].map(({ path }) => path)).toEqual(['score', 'notes[0]']);
    expect(failure.message).toContain('score must be a number, not "high"; notes[0] must be a string, not 1');
    expect(await run.status()).toMatchObject({ status: 'failed' });
  });

  test('is refused by whoever reads it where only zod can tell that it does not fit', async () => {
    const even = defineOrchestration({
      ...base,
      name: 'even',
      output: z.object({ n: z.number() }).refine(async ({ n }) => n % 2 === 0, 'must be even'),
    });
    await using world = await openWorld({ environment, orchestrations: [even], script: ['{"n": 4}', '{"n": 3}'] });

    expect((await (await world.client.start(even, { task: 'go' })).result()).output).toEqual({ n: 4 });

    const odd = await world.client.start(even, { task: 'go' });
    await expect(odd.result()).rejects.toMatchObject({
      type: 'Output.Invalid',
      message: expect.stringContaining('must be even') as string,
    });
    expect((await odd.status()).status).toBe('completed');
  });

  test('gives what a function has made of the output, whatever the schema of what that was given', async () => {
    await using world = await openWorld({ environment, orchestrations: [counting], script: [reply] });

    const run = await world.client.start(counting, { task: 'go' });

    expect((await run.result()).output).toEqual({ twice: 14 });
  });
});

describe('a task that does not fit is refused before anything is sent', () => {
  test.each<[string, unknown, string, string]>([
    ['a member of another kind', { text: 7 }, 'task.text', 'must be a string, not 7'],
    ['a member that is missing', {}, 'task.text', 'is missing'],
    ['another kind of value', 'tea', 'task', 'must be an object, not "tea"'],
    ['a list', [{ text: 'tea' }], 'task', 'must be an object'],
    ['what zod alone refuses', { text: 'tea', copies: 'many' }, 'task.copies', 'must be a number, not "many"'],
    ['nothing', undefined, 'task', 'is missing'],
    ['null', null, 'task', 'is missing'],
  ])('%s', async (_, task, path, message) => {
    await using world = await openWorld({ environment, orchestrations: all });

    const problems = await problemsOf(world.client.start(typed, { task } as never));

    expect(problems).toEqual([{ path, message: expect.stringContaining(message) as string }]);
  });

  test('by JSON schema, too', async () => {
    await using world = await openWorld({ environment, orchestrations: all });

    expect(await problemsOf(world.client.start(inJson, { task: { a: '1' } }))).toEqual([
      { path: 'task.a', message: 'must be a number, not "1"' },
    ]);
  });

  test('with everything else that is wrong', async () => {
    await using world = await openWorld({ environment, orchestrations: all });

    const problems = await problemsOf(world.client.start(typed, { task: { text: 7 }, limits: { turns: 0 }, optoins: {} } as never));

    expect(problems.map(({ path }) => path).sort()).toEqual(['limits.turns', 'optoins', 'task.text']);
  });

  test('in a list, by its place', async () => {
    const list = defineOrchestration({ ...base, name: 'list', input: z.array(z.object({ a: z.number() })) });
    await using world = await openWorld({ environment, orchestrations: [list], script: ['fine'] });

    const problems = await problemsOf(world.client.start(list, { task: [{ a: 1 }, { a: '2' }] as never }));

    expect(problems.map(({ path }) => path)).toEqual(['task[1].a']);
    expect((await (await world.client.start(list, { task: [{ a: 1 }] })).result()).output).toBe('fine');
  });
});

describe('what zod makes of a task', () => {
  test('is not sent where it is no JSON, or nothing that the schema takes', async () => {
    const dated = defineOrchestration({
      ...base,
      name: 'dated',
      input: z.object({ day: z.iso.date().transform((day) => new Date(day)), size: z.string().transform(Number) }),
    });
    await using world = await openWorld({ environment, orchestrations: [dated], script: ['fine'] });

    const run = await world.client.start(dated, { task: { day: '2026-01-02', size: '3' } });

    expect((await run.result()).output).toBe('fine');
    expect(await heard(run)).toEqual({ day: '2026-01-02', size: '3' });
  });

  test('may take time', async () => {
    const checked = defineOrchestration({
      ...base,
      name: 'checked',
      input: z.string().refine(async (name) => name !== 'nobody', 'must be somebody'),
    });
    await using world = await openWorld({ environment, orchestrations: [checked], script: ['fine'] });

    expect((await (await world.client.start(checked, { task: 'anna' })).result()).output).toBe('fine');
    expect(await problemsOf(world.client.start(checked, { task: 'nobody' }))).toEqual([
      { path: 'task', message: 'must be somebody, not "nobody"' },
    ]);
  });

  test('is nothing where a schema cannot be told to others', async () => {
    const dates = defineOrchestration({ ...base, name: 'dates', input: z.object({ day: z.date() }) });
    await using world = await openWorld({ environment });

    const problems = await problemsOf(world.client.start(dates, { task: { day: new Date() } }));

    expect(problems.find(({ path }) => path === 'input')?.message).toContain('has no JSON schema');
  });
});
