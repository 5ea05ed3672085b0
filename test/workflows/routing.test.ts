import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineAgent, defineFunction, defineOrchestration, textOf, type EventTypes, type RunEvent } from '../../src/index.js';
import type { RunHandle } from '../../src/client.js';
import { openWorld } from '../support/world.js';
import { timeSkippingServer } from '../support/servers.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const agent = (name: string, more: object = {}) => defineAgent({ name, instructions: `You are ${name}.`, model: name, ...more });
const sorter = agent('sorter');
const clerk = agent('clerk');
const cook = agent('cook');
const people = [sorter, clerk, cook];

const routes = { bill: { agent: 'clerk', description: 'Something about money.' }, recipe: 'cook' };
const byAgent = { classifier: { agent: 'sorter' }, routes };
const started = { agents: ['clerk', 'cook'], task: 'How much is the soup?' };
const says = (answer: object) => JSON.stringify(answer);

async function eventsOf(run: RunHandle<unknown>): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.watch()) events.push(event);
  return events;
}

async function decisions(run: RunHandle<unknown>): Promise<Partial<EventTypes['route.taken']>[]> {
  return (await eventsOf(run)).flatMap((event) => {
    if (event.type !== 'route.taken') return [];
    const { labels, targets, reason, confidence } = event;
    return [{ labels, targets, ...(reason !== undefined && { reason }), ...(confidence !== undefined && { confidence }) }];
  });
}

async function refusals(run: RunHandle<unknown>): Promise<string[]> {
  return (await eventsOf(run)).flatMap((event) => (event.type === 'decision.refused' ? [`${event.by}: ${event.reason}`] : []));
}

async function transcript(run: RunHandle<unknown>): Promise<string[]> {
  return (await run.transcript()).map(({ message }) => `${message.authorName ?? message.role}: ${textOf(message)}`);
}

describe('a routing run whose classifier is an agent', () => {
  test('lets the agent for the label answer, and nobody else', async () => {
    const script = { sorter: [says({ label: 'bill', reason: 'It asks for a price.', confidence: 0.9 })], clerk: ['Four euros.'] };
    await using world = await openWorld({ environment, agents: people, script });

    const run = await world.client.start('routing', { ...started, options: byAgent });

    expect(await run.result()).toMatchObject({
      status: 'completed',
      output: 'Four euros.',
      stopReason: { code: 'completed' },
      rounds: 1,
      usage: { modelCalls: 2 },
    });
    expect(world.model.calls.map(({ model }) => model)).toEqual(['sorter', 'clerk']);
    expect(await transcript(run)).toEqual(['user: How much is the soup?', 'clerk: Four euros.']);
    expect(await decisions(run)).toEqual([{ labels: ['bill'], targets: ['clerk'], reason: 'It asks for a price.', confidence: 0.9 }]);
    expect((await run.status()).agents).toEqual(['clerk', 'cook']);
  });

  test('tells it the labels with what they are for, and asks for nothing but them', async () => {
    await using world = await openWorld({ environment, agents: people, script: { sorter: [says({ label: 'recipe' })], cook: ['Boil.'] } });

    await (await world.client.start('routing', { ...started, options: byAgent })).result();

    const [asked, answering] = world.model.calls;
    const question = asked?.messages.at(-1)?.content ?? '';
    expect(question).toContain('- bill: Something about money.\n- recipe');
    expect(asked?.outputSchema).toMatchObject({ properties: { label: { enum: ['bill', 'recipe', 'none'] } }, required: ['label'] });
    expect(asked?.instructions).toBe('You are sorter.');
    expect(asked?.heard('user', 'How much is the soup?')).toBe(true);
    // Who answers hears the task alone.
    expect(answering?.messages.map(({ role, content }) => `${role}: ${content}`)).toEqual([
      'system: You are cook.',
      'user: How much is the soup?',
    ]);
  });

  test('reads a label in a fence, with words around it', async () => {
    const script = { sorter: ['I think so:\n```json\n{ "label": "recipe" }\n```\nGood luck!'], cook: ['Boil.'] };
    await using world = await openWorld({ environment, agents: people, script });

    const run = await world.client.start('routing', { ...started, options: byAgent });

    expect((await run.result()).output).toBe('Boil.');
  });

  test('is told what is wrong with its label, and asked again', async () => {
    const script = {
      sorter: [
        says({ label: 'dessert' }),
        'A recipe, I guess.',
        (call: { heard(text: string): boolean }) => says({ label: call.heard('dessert') ? 'recipe' : 'bill' }),
      ],
      cook: ['Boil.'],
    };
    await using world = await openWorld({ environment, agents: people, script });

    const run = await world.client.start('routing', { ...started, options: byAgent });

    expect((await run.result()).output).toBe('Boil.');
    expect(await refusals(run)).toEqual([
      'sorter: the route: label must be "bill", "recipe" or "none", not "dessert"',
      'sorter: the route: There is no JSON in it.',
    ]);
    expect(world.model.calls[2]?.messages.slice(-4).map(({ role, content }) => `${role}: ${content.split('\n')[0]}`)).toEqual([
      'assistant: {"label":"dessert"}',
      'user: That cannot be used: label must be "bill", "recipe" or "none", not "dessert"',
      'assistant: A recipe, I guess.',
      'user: That cannot be used: There is no JSON in it.',
    ]);
    expect(await transcript(run)).toEqual(['user: How much is the soup?', 'cook: Boil.']);
  });

  test.each([
    ['says that none fits', [says({ label: 'none', reason: 'A greeting.' })], 'A greeting.'],
    ['never names a label that there is', Array.from({ length: 3 }, () => says({ label: 'dessert' })), 'label must be'],
    ['never gives JSON', ['Hm.', 'Hm.', 'Hm.'], 'There is no JSON in it.'],
    ['gives JSON of another form', ['[1]', '{}', '{"label": 7}'], 'label must be'],
  ])('that %s leaves the task to the default', async (_, answers, reason) => {
    await using world = await openWorld({ environment, agents: people, script: { sorter: answers, cook: ['Good morning.'] } });

    const run = await world.client.start('routing', { ...started, options: { ...byAgent, default: 'cook' } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Good morning.', rounds: 1 });
    expect(await decisions(run)).toEqual([{ labels: [], targets: ['cook'], reason: expect.stringContaining(reason) as string }]);
    world.model.assertComplete();
  });

  test.each([
    ['says that none fits', [says({ label: 'none', reason: 'A greeting.' })], 'A greeting.', 'Routes: bill, recipe.'],
    ['never names a label that there is', Array.from({ length: 3 }, () => says({ label: 'dessert' })), 'label must be', 'label must be'],
    ['never gives JSON', ['Hm.', 'Hm.', 'Hm.'], 'There is no JSON in it.', 'There is no JSON in it.'],
  ])('that %s fails the run when there is no default', async (_, answers, reason, told) => {
    await using world = await openWorld({ environment, agents: people, script: { sorter: answers } });

    const run = await world.client.start('routing', { ...started, options: byAgent });

    const failure = (await run.result().catch((error: unknown) => error)) as Error;
    expect(failure).toMatchObject({ type: 'Route.Unmatched' });
    expect(failure.message).toContain('No route fits');
    expect(failure.message).toContain('Routes: bill, recipe.');
    expect(failure.message).toContain(told);
    // What a model says is nothing for a message of failure.
    expect(failure.message).not.toContain('A greeting.');
    expect(await run.status()).toMatchObject({ status: 'failed', failure: { type: 'Route.Unmatched' } });
    expect(await decisions(run)).toEqual([{ labels: [], targets: [], reason: expect.stringContaining(reason) as string }]);
    expect(await transcript(run)).toEqual(['user: How much is the soup?']);
    world.model.assertComplete();
  });

  test('may have a route that is called "none"', async () => {
    await using world = await openWorld({ environment, agents: people, script: { sorter: [says({ label: 'none' })], cook: ['Boil.'] } });

    const options = { classifier: { agent: 'sorter' }, routes: { bill: 'clerk', none: 'cook' } };
    const run = await world.client.start('routing', { ...started, options });

    expect((await run.result()).output).toBe('Boil.');
    expect(world.model.calls[0]?.outputSchema).toMatchObject({ properties: { label: { enum: ['bill', 'none'] } } });
  });

  test('may have labels with the names of what every object has', async () => {
    const script = { sorter: [says({ label: 'constructor' }), says({ label: 'toString' })], cook: ['Boil.'] };
    await using world = await openWorld({ environment, agents: people, script });

    const options = { classifier: { agent: 'sorter' }, routes: { toString: 'cook' } };
    const run = await world.client.start('routing', { ...started, options });

    expect((await run.result()).output).toBe('Boil.');
    expect(await refusals(run)).toHaveLength(1);
  });

  test('may be a member of the team itself, or inline', async () => {
    await using world = await openWorld({
      environment,
      agents: people,
      script: { clerk: [says({ label: 'bill' }), 'Four euros.'], 'm-inline': [says({ label: 'bill' })] },
    });

    const member = await world.client.start('routing', { ...started, options: { ...byAgent, classifier: { agent: 'clerk' } } });
    expect((await member.result()).output).toBe('Four euros.');

    const inline = { name: 'clerk', instructions: 'Sort.', model: 'm-inline' };
    const run = await world.client.start('routing', { ...started, options: { ...byAgent, classifier: { agent: inline } } });
    // Nobody has a line left: the model refuses, and that is the failure of the run.
    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Refused' });
    expect(await decisions(run)).toEqual([{ labels: ['bill'], targets: ['clerk'] }]);
  });

  test('fails the run with the failure of its model', async () => {
    await using world = await openWorld({ environment, agents: people, script: { sorter: [{ status: 401 }] } });

    const run = await world.client.start('routing', { ...started, options: { ...byAgent, default: 'cook' } });

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Refused' });
    expect(await transcript(run)).toEqual(['user: How much is the soup?']);
  });

  test('hears the conversation that the run goes on with', async () => {
    const script = { sorter: [says({ label: 'bill' }), says({ label: 'recipe' })], clerk: ['Four euros.'], cook: ['With leek.'] };
    await using world = await openWorld({ environment, agents: people, script });
    const first = await world.client.start('routing', { ...started, options: byAgent });
    await first.result();

    const second = await world.client.start('routing', {
      ...started,
      task: 'And how is it made?',
      options: byAgent,
      conversation: first.id,
    });

    expect((await second.result()).output).toBe('With leek.');
    expect(world.model.calls[2]?.heard('clerk', 'Four euros.')).toBe(true);
    expect(world.model.calls[3]?.heard('clerk', 'Four euros.')).toBe(true);
    expect(await transcript(second)).toHaveLength(4);
  });
});

describe('a routing run with `match: "all"`', () => {
  const options = { ...byAgent, match: 'all' as const };

  test('lets the agents for all labels answer side by side, in the order of the labels', async () => {
    const script = {
      sorter: [says({ labels: ['recipe', 'bill'], reason: 'Both.' })],
      clerk: ['Four euros.'],
      cook: [{ text: 'Boil.', delayMs: 300 }],
    };
    await using world = await openWorld({ environment, agents: people, script });

    const run = await world.client.start('routing', { ...started, options });

    expect(await run.result()).toMatchObject({
      status: 'completed',
      output: [
        { member: 'cook', status: 'completed', output: 'Boil.' },
        { member: 'clerk', status: 'completed', output: 'Four euros.' },
      ],
      rounds: 2,
    });
    expect(await decisions(run)).toEqual([{ labels: ['recipe', 'bill'], targets: ['cook', 'clerk'], reason: 'Both.' }]);
    for (const { model, messages } of world.model.calls.slice(1)) {
      expect(messages.map(({ content }) => content)).toEqual([`You are ${model}.`, 'How much is the soup?']);
    }
  });

  test('asks nobody twice, whatever labels lead to it', async () => {
    const script = { sorter: [says({ labels: ['bill', 'receipt'] })], clerk: ['Four euros.'] };
    await using world = await openWorld({ environment, agents: people, script });

    const run = await world.client.start('routing', { ...started, options: { ...options, routes: { ...routes, receipt: 'clerk' } } });

    expect(await run.result()).toMatchObject({ output: [{ member: 'clerk', status: 'completed', output: 'Four euros.' }] });
  });

  test('takes no label for an answer, which is the default or a failure', async () => {
    const script = { sorter: [says({ labels: [] }), says({ labels: [] })], cook: ['Good morning.'] };
    await using world = await openWorld({ environment, agents: people, script });

    const run = await world.client.start('routing', { ...started, options: { ...options, default: 'cook' } });
    expect(await run.result()).toMatchObject({ output: [{ member: 'cook', status: 'completed', output: 'Good morning.' }] });

    const failing = await world.client.start('routing', { ...started, options });
    await expect(failing.result()).rejects.toMatchObject({ type: 'Route.Unmatched' });
  });

  test('fails with the first member that fails, and lets the others go', async () => {
    // When the other one has been asked as well.
    const fails = (): Promise<{ status: number }> => world.model.called(3).then(() => ({ status: 401 }));
    const script = { sorter: [says({ labels: ['recipe', 'bill'] })], clerk: [fails], cook: [{ hang: true as const }] };
    await using world = await openWorld({ environment, agents: people, script });

    const run = await world.client.start('routing', { ...started, options });

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Refused', message: expect.stringContaining('clerk') as string });
    await world.model.aborted(1);
  });
});

describe('a routing run whose classifier is a function', () => {
  const classify = (returned: unknown) => defineFunction({ name: 'classify', run: () => returned });
  const byFunction = { classifier: { function: 'classify' }, routes };

  test('gives it the labels and what was said', async () => {
    let given: unknown;
    const look = defineFunction({
      name: 'classify',
      run: (input) => {
        given = input;
        return { label: 'recipe', reason: 'The word "soup".', confidence: 1 };
      },
    });
    await using world = await openWorld({ environment, agents: people, functions: [look], script: { cook: ['Boil.'] } });

    const run = await world.client.start('routing', { ...started, options: byFunction });

    expect(await run.result()).toMatchObject({ output: 'Boil.', usage: { modelCalls: 1 } });
    expect(given).toMatchObject({
      labels: ['bill', 'recipe'],
      messages: [{ role: 'user', contents: [{ $type: 'text', text: 'How much is the soup?' }] }],
    });
    expect(await decisions(run)).toEqual([{ labels: ['recipe'], targets: ['cook'], reason: 'The word "soup".', confidence: 1 }]);
  });

  test.each<[string, unknown, string[], string[]]>([
    ['a label', 'recipe', ['recipe'], ['cook']],
    ['a list of labels, of which the first that is known counts', ['dessert', 'recipe', 'bill'], ['dessert', 'recipe', 'bill'], ['cook']],
    ['an object with labels', { labels: ['bill'] }, ['bill'], ['clerk']],
    ['nothing', undefined, [], ['clerk']],
    ['null', { label: null }, [], ['clerk']],
    ['a label that is none', 'dessert', ['dessert'], ['clerk']],
    ['a label that every object has', 'constructor', ['constructor'], ['clerk']],
  ])('that may return %s', async (_, returned, labels, targets) => {
    const script = { cook: ['Boil.'], clerk: ['Four euros.'] };
    await using world = await openWorld({ environment, agents: people, functions: [classify(returned)], script });

    const run = await world.client.start('routing', { ...started, options: { ...byFunction, default: 'clerk' } });

    expect((await run.result()).status).toBe('completed');
    expect(await decisions(run)).toEqual([{ labels, targets }]);
  });

  test('and no label that it returns is known: the failure names them', async () => {
    await using world = await openWorld({ environment, agents: people, functions: [classify(['dessert', 'wine'])] });

    const run = await world.client.start('routing', { ...started, options: byFunction });

    await expect(run.result()).rejects.toMatchObject({
      type: 'Route.Unmatched',
      message: expect.stringContaining('"dessert", "wine"') as string,
    });
    expect(await decisions(run)).toEqual([{ labels: ['dessert', 'wine'], targets: [] }]);
  });

  test.each<[string, unknown, string]>([
    ['a number', 42, 'must return a label'],
    ['labels that are no texts', { labels: ['bill', 7] }, 'must return a label'],
    ['a label that is an object', { label: { name: 'bill' } }, 'must return a label'],
    ['a BigInt', 7n, 'bigint'],
  ])('that returns %s fails the run, also where there is a default', async (_, returned, message) => {
    await using world = await openWorld({ environment, agents: people, functions: [classify(returned)] });

    const run = await world.client.start('routing', { ...started, options: { ...byFunction, default: 'clerk' } });

    await expect(run.result()).rejects.toMatchObject({ type: 'Function.Failed', message: expect.stringContaining(message) as string });
    expect(await transcript(run)).toEqual(['user: How much is the soup?']);
  });

  test('that throws fails the run, and is not called again', async () => {
    let calls = 0;
    const broken = defineFunction({
      name: 'classify',
      run: () => {
        calls += 1;
        throw new Error('no dictionary');
      },
    });
    await using world = await openWorld({ environment, agents: people, functions: [broken] });

    const run = await world.client.start('routing', { ...started, options: { ...byFunction, default: 'clerk' } });

    await expect(run.result()).rejects.toMatchObject({
      type: 'Function.Failed',
      message: expect.stringContaining('no dictionary') as string,
    });
    expect(calls).toBe(1);
    expect(await run.status()).toMatchObject({ status: 'failed', rounds: 0 });
  });
});

describe('a route that leads to an orchestration', () => {
  const kitchen = defineOrchestration({ name: 'kitchen', pattern: 'sequential', agents: [cook, agent('taster')] });
  const script = () => ({ sorter: [says({ label: 'recipe' })], cook: ['Boil.'], taster: ['With salt.'] });
  const options = { classifier: { agent: 'sorter' }, routes: { bill: 'clerk', recipe: 'kitchen' } };

  test('is a run of its own, whose result is the answer', async () => {
    await using world = await openWorld({ environment, agents: people, orchestrations: [kitchen], script: script() });

    const run = await world.client.start('routing', { ...started, agents: ['clerk', 'kitchen'], options });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'With salt.', rounds: 1, usage: { modelCalls: 3 } });
    expect(await transcript(run)).toEqual(['user: How much is the soup?', 'kitchen: With salt.']);
    expect(await decisions(run)).toEqual([{ labels: ['recipe'], targets: ['kitchen'] }]);
  });

  test('may be inline', async () => {
    await using world = await openWorld({ environment, agents: [...people, agent('taster')], script: script() });

    const inline = { name: 'kitchen', pattern: 'sequential' as const, agents: ['cook', 'taster'] };
    const run = await world.client.start('routing', { ...started, agents: ['clerk', inline], options });

    expect((await run.result()).output).toBe('With salt.');
  });

  test('and a routing run may be such a member itself: its failure is told at the top', async () => {
    await using world = await openWorld({ environment, agents: people, script: { sorter: [says({ label: 'none' })] } });

    const desk = { name: 'desk', pattern: 'routing' as const, agents: ['clerk', 'cook'], options: byAgent };
    const run = await world.client.start('sequential', { task: 'Good morning.', agents: [desk] });

    await expect(run.result()).rejects.toMatchObject({ type: 'Route.Unmatched', message: expect.stringContaining('desk') as string });
  });
});

describe('a routing run', () => {
  test('that continues as new after every few events asks and answers once', async () => {
    const script = { sorter: [says({ label: 'bill' })], clerk: ['Four euros.'], cook: ['{"price": 4}'] };
    await using world = await openWorld({ environment, agents: people, script, historyEvents: 5 });

    const run = await world.client.start('routing', {
      ...started,
      options: byAgent,
      output: { schema: { type: 'object', required: ['price'] }, from: 'conversation', agent: 'cook' },
    });

    expect(await run.result()).toMatchObject({ status: 'completed', output: { price: 4 }, rounds: 1 });
    expect(world.model.calls.map(({ model }) => model)).toEqual(['sorter', 'clerk', 'cook']);
    expect(await decisions(run)).toHaveLength(1);
    expect((await run.checkpoint()).continuations).toBeGreaterThanOrEqual(2);
  });

  test('that continues as new with several members repeats none of them', async () => {
    const script = { sorter: [says({ labels: ['bill', 'recipe'] })], clerk: ['Four euros.'], cook: ['Boil.'] };
    await using world = await openWorld({ environment, agents: people, script, historyEvents: 5 });

    const run = await world.client.start('routing', { ...started, options: { ...byAgent, match: 'all' } });

    expect(await run.result()).toMatchObject({ output: [{ output: 'Four euros.' }, { output: 'Boil.' }], rounds: 2 });
    expect(world.model.calls).toHaveLength(3);
  });

  test.each(['graceful', 'immediate'] as const)('that is cancelled (%s) while it classifies lets nobody answer', async (mode) => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const slow = mode === 'graceful' ? async () => (await released, says({ label: 'bill' })) : { hang: true as const };
    await using world = await openWorld({ environment, agents: people, script: { sorter: [slow], clerk: ['Four euros.'] } });
    const run = await world.client.start('routing', { ...started, options: byAgent });
    await world.model.called(1);

    await run.cancel({ mode, reason: 'enough' });
    release();

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: null, stopReason: { message: 'enough' }, rounds: 0 });
    expect(world.model.calls).toHaveLength(1);
  });

  test('has the limits of every run', async () => {
    const usage = { inputTokens: 60, outputTokens: 50 };
    const script = { sorter: [{ text: says({ label: 'bill' }), usage }], clerk: ['Four euros.'] };
    await using world = await openWorld({ environment, agents: people, script });

    const run = await world.client.start('routing', { ...started, options: byAgent, limits: { tokens: 100 } });

    expect(await run.result()).toMatchObject({ status: 'stopped', output: null, stopReason: { code: 'limit.tokens' } });
    expect(world.model.calls).toHaveLength(1);
  });

  test('is not held up by a classifier that never answers longer than its limit of time', async () => {
    await using world = await openWorld({ environment, agents: people, script: { sorter: [{ hang: true }] } });

    const run = await world.client.start('routing', { ...started, options: byAgent, limits: { time: '5 seconds' } });

    expect(await run.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.time' } });
  });

  test.each<[string, object | undefined, string[]]>([
    ['no options', undefined, ['options']],
    ['no classifier and no routes', {}, ['options.classifier', 'options.routes']],
    ['no routes', { classifier: { agent: 'sorter' }, routes: {} }, ['options.routes']],
    ['an agent and a function', { classifier: { agent: 'sorter', function: 'x' }, routes }, ['options.classifier']],
    [
      'targets that are not in the team',
      { ...byAgent, routes: { a: 'nobody', b: { agent: 'noone' } }, default: 'none' },
      ['options.routes.a', 'options.routes.b', 'options.default'],
    ],
    ['a match that is none', { ...byAgent, match: 'some' }, ['options.match']],
  ])('is refused with %s, and every problem is listed', async (_, options, paths) => {
    await using world = await openWorld({ environment, agents: people });

    const failure = await world.client.start('routing', { ...started, options } as never).catch((error: unknown) => error);

    expect(failure).toMatchObject({ type: 'Input.Invalid' });
    const [problems] = (failure as { details: [{ path: string }[]] }).details;
    expect(problems.map(({ path }) => path)).toEqual(paths);
  });

  test.each([
    ['classifier.function', { classifier: { function: 'clasify' }, routes }, 'no function is called "clasify" here'],
    ['classifier.agent', { classifier: { agent: 'srter' }, routes }, 'no agent is called "srter" here; did you mean "sorter"?'],
  ])('fails at once when nobody knows its %s', async (path, options, message) => {
    await using world = await openWorld({ environment, agents: people });

    const run = await world.client.start('routing', { ...started, options } as never);

    await expect(run.result()).rejects.toMatchObject({
      type: 'Input.UnknownAgent',
      message: expect.stringContaining(`options.${path}: ${message}`) as string,
    });
  });
});
