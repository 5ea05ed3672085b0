import { describe, expect, test } from 'vitest';
import { failureOf } from '../../src/contract/failure.js';
import { parseRunInput } from '../../src/contract/input-schema.js';
import type { Problem } from '../../src/contract/problems.js';
import { jsonBytes, sizes } from '../../src/contract/size.js';
import { undecodable } from '../../src/contract/undecodable.js';
import { cpuMs } from '../support/cpu.js';

const writer = { name: 'writer', instructions: 'You write.' };
const good = { task: 'Write about tea.', agents: [writer] };

function refusal(value: unknown, pattern = 'sequential') {
  try {
    parseRunInput(pattern, value);
  } catch (error) {
    const failure = failureOf(error);
    return { ...failure, problems: (failure.details?.[0] ?? []) as Problem[] };
  }
  throw new Error('The input was accepted.');
}

describe('a good input', () => {
  test.each<[string, unknown]>([
    ['a text as task', good],
    ['names of registered agents', { task: 'tea', agents: ['analyst', 'writer'] }],
    ['a message as task', { ...good, task: { role: 'user', contents: [{ $type: 'text', text: 'tea' }] } }],
    [
      'a list of texts and messages',
      { ...good, task: ['tea', { role: 'user', contents: [{ $type: 'uri', uri: 'a:b', mediaType: 'x/y' }] }] },
    ],
    ['an orchestration in place of agents', { task: 'tea', orchestration: 'article' }],
    ['limits of every kind', { ...good, limits: { turns: 1, tokens: 1, time: '90 seconds' } }],
    ['a time in milliseconds', { ...good, limits: { time: 5000 } }],
    ['no options', { ...good, options: {} }],
    ['an earlier conversation', { ...good, conversation: 'session/guide/anna' }],
    [
      'an inline definition with everything',
      {
        task: 'tea',
        agents: [
          {
            name: 'writer',
            description: 'Writes.',
            instructions: 'You write.',
            model: 'openai/gpt-5',
            tools: ['search', 'save'],
            temperature: 0,
            maxOutputTokens: 100,
            maxToolRounds: 3,
            outputSchema: { type: 'object' },
          },
        ],
      },
    ],
  ])('with %s is passed on as it is', (_, input) => {
    expect(parseRunInput('sequential', input)).toEqual(input);
  });

  test('of a session needs no task', () => {
    expect(parseRunInput('session', { agents: ['guide'] })).toEqual({ agents: ['guide'] });
  });

  test('may bring a state instead of task and agents, which is passed through untouched', () => {
    const state = { stateVersion: 1, anything: [{ constructor: 'a tool argument' }], nothing: null };

    expect(parseRunInput('sequential', { state }).state).toBe(state);
  });

  test('of a pattern that is not on the menu may have any options and any number of agents', () => {
    const input = { agents: [], options: { rounds: 3, deep: { er: true } } };

    expect(parseRunInput('debate', input)).toEqual(input);
  });

  test('may say null for what is absent', () => {
    const input = { ...good, limits: null, options: null, agents: [{ ...writer, model: null, tools: null }] };

    expect(parseRunInput('sequential', input)).toEqual(good);
  });

  test('keeps members of messages that nobody here knows', () => {
    const contents = [{ $type: 'text', text: 'tea', annotations: [{ title: 'a book' }] }];
    const task = { role: 'critic', authorName: 'Anna', createdAt: '2026-01-31T09:30:00.1234567+00:00', contents, messageId: 'm1' };

    expect(parseRunInput('sequential', { ...good, task }).task).toEqual(task);
  });

  test('has $type as the first member of every content, wherever it was written', () => {
    const task = { role: 'user', contents: [{ extra: 1, text: 'tea', $type: 'text' }] };

    const parsed = parseRunInput('sequential', { ...good, task }).task as typeof task;

    expect(Object.keys(parsed.contents[0] ?? {})[0]).toBe('$type');
  });

  test('gives a call without arguments an empty object of them', () => {
    const task = { role: 'assistant', contents: [{ $type: 'functionCall', callId: 'c1', name: 'now' }] };

    expect(parseRunInput('sequential', { ...good, task }).task).toMatchObject({ contents: [{ arguments: {} }] });
  });
});

describe('a bad input is refused, and the problem is named', () => {
  const message = (contents: unknown) => ({ ...good, task: { role: 'user', contents } });
  const agent = (fields: object) => ({ task: 'tea', agents: [{ ...writer, ...fields }] });

  test.each<[string, unknown, string, string]>([
    ['nothing', undefined, '', 'is missing; it must be a JSON object'],
    ['null', null, '', 'must be a JSON object such as { "task": "…", "agents": ["…"] }, not null'],
    ['JSON in a string', '{"task":"tea"}', '', 'must be a JSON object such as { "task": "…", "agents": ["…"] }, not "{\\"task\\"'],
    ['a list', [good], '', 'not a list of 1'],
    ['a payload that cannot be decoded', undecodable('not JSON'), '', 'cannot be decoded: not JSON'],
    ['no task', { agents: ['writer'] }, 'task', 'is missing'],
    ['an empty task', { ...good, task: '' }, 'task', 'must be a text that is not empty, not ""'],
    ['a blank task', { ...good, task: ' \n' }, 'task', 'must be a text that is not empty'],
    ['an empty list of tasks', { ...good, task: [] }, 'task', 'must not be an empty list'],
    ['a number as task', { ...good, task: 7 }, 'task', 'must be a text, a message or a list of messages, not 7'],
    ['a number in the list of tasks', { ...good, task: ['tea', 7] }, 'task[1]', 'must be a text or a message, not 7'],
    ['a blank text in the list of tasks', { ...good, task: ['tea', ''] }, 'task[1]', 'must be a text that is not empty'],
    ['a message without contents', { ...good, task: { role: 'user', content: 'tea' } }, 'task.contents', 'is missing; it must be a list'],
    ['a message without role', { ...good, task: { contents: [] } }, 'task.role', 'is missing; it must be a role such as "user"'],
    ['a message with no content', message([]), 'task.contents', 'must be a list of contents'],
    ['a content that is a text', message(['tea']), 'task.contents[0]', 'must be a content such as'],
    ['a content without $type', message([{ text: 'tea' }]), 'task.contents[0].$type', 'is missing; it must be one of text, reasoning,'],
    ['an unknown $type', message([{ $type: 'image' }]), 'task.contents[0].$type', 'hostedVectorStore, usage, unknown, not "image"'],
    ['a text content without text', message([{ $type: 'text' }]), 'task.contents[0].text', 'is missing; it must be a text'],
    [
      'arguments that are no object',
      message([{ $type: 'functionCall', callId: 'c', name: 'n', arguments: '{}' }]),
      'task.contents[0].arguments',
      'must be an object, not "{}"',
    ],
    [
      'an empty unknown content',
      message([{ $type: 'unknown', content: {} }]),
      'task.contents[0].content',
      'must be JSON that is not empty',
    ],
    [
      'error details that are no text',
      message([{ $type: 'error', details: {} }]),
      'task.contents[0].details',
      'must be a text, not an object',
    ],
    [
      'a message of last Tuesday',
      { ...good, task: { role: 'user', contents: [{ $type: 'text', text: 'x' }], createdAt: 'Tuesday' } },
      'task.createdAt',
      'RFC 3339',
    ],
    [
      'a day that does not exist',
      { ...good, task: { role: 'user', contents: [{ $type: 'text', text: 'x' }], createdAt: '2026-13-01T00:00:00Z' } },
      'task.createdAt',
      'RFC 3339',
    ],
    ['no agents', { task: 'tea' }, 'agents', 'is missing; name registered agents'],
    ['an empty list of agents', { task: 'tea', agents: [] }, 'agents', 'must hold 1 to 100, not 0'],
    [
      'an empty list of agents with an orchestration',
      { task: 'tea', agents: [], orchestration: 'article' },
      'agents',
      'must hold 1 to 100, not 0',
    ],
    ['an agent where a list belongs', { task: 'tea', agents: 'writer' }, 'agents', 'must be a list of agents, not "writer"'],
    [
      'a number as agent',
      { task: 'tea', agents: [7] },
      'agents[0]',
      'must be the name of a registered agent or orchestration, or a definition of one, not 7',
    ],
    ['a bad name', { task: 'tea', agents: ['1st'] }, 'agents[0]', 'must be a name: a letter, then'],
    ['a bad name inline', agent({ name: 'the writer' }), 'agents[0].name', 'not "the writer"'],
    ['a name twice', { task: 'tea', agents: ['writer', 'editor', 'writer'] }, 'agents[2]', 'is the name of agents[0] already'],
    ['a name twice, capitals aside', { task: 'tea', agents: ['Writer', writer] }, 'agents[1].name', 'is the name of agents[0] already'],
    [
      'an agent without instructions',
      { task: 'tea', agents: [{ name: 'writer' }] },
      'agents[0].instructions',
      'is missing; it must be a text that is not empty',
    ],
    [
      'a misspelt member of an agent',
      agent({ instrucions: 'x' }),
      'agents[0].instrucions',
      'is not known here; did you mean "instructions"?',
    ],
    ['a model with spaces', agent({ model: 'gpt 5' }), 'agents[0].model', 'must be the name of a model without spaces'],
    [
      'a tool as value',
      agent({ tools: [{ name: 'search' }] }),
      'agents[0].tools[0]',
      'must be the name of a tool, { "tool": … }, { "agent": … }',
    ],
    ['a tool twice', agent({ tools: ['search', 'save', 'search'] }), 'agents[0].tools[2]', '"search" is there twice: tools[0]'],
    ['a temperature of 3', agent({ temperature: 3 }), 'agents[0].temperature', 'must be a number from 0 to 2, not 3'],
    ['no tool rounds', agent({ maxToolRounds: 0 }), 'agents[0].maxToolRounds', 'must be a whole number from 1 to 1000, not 0'],
    ['half a token', agent({ maxOutputTokens: 0.5 }), 'agents[0].maxOutputTokens', 'must be a whole number of at least 1, not 0.5'],
    ['a list as schema', agent({ outputSchema: [] }), 'agents[0].outputSchema', 'must be a JSON schema, not an empty list'],
    ['a limit of zero', { ...good, limits: { turns: 0 } }, 'limits.turns', 'must be a whole number of at least 1, not 0'],
    ['a limit in words', { ...good, limits: { tokens: '1000' } }, 'limits.tokens', 'not "1000"'],
    ['an infinite limit', { ...good, limits: { turns: Infinity } }, 'limits.turns', 'must be a number that JSON can hold, not Infinity'],
    ['no time', { ...good, limits: { time: 0 } }, 'limits.time', 'must be a span of time over 0'],
    [
      'a time without unit that is known',
      { ...good, limits: { time: '3 moons' } },
      'limits.time',
      'such as "90 seconds", at most ten years, not "3 moons"',
    ],
    ['a misspelt limit', { ...good, limits: { turn: 3 } }, 'limits.turn', 'did you mean "turns"?'],
    ['a number as limits', { ...good, limits: 5 }, 'limits', 'must be an object with turns, tokens or time, not 5'],
    ['an unknown option', { ...good, options: { rounds: 3 } }, 'options.rounds', 'is not known here; known: contextMode, transforms'],
    ['a misspelt member', { ...good, agnets: [] }, 'agnets', 'is not known here; did you mean "agents"?'],
    [
      'a strange member',
      { ...good, 'the rest': 1 },
      '["the rest"]',
      'known: task, agents, options, limits, termination, input, output, conversation, orchestration, states, snapshot, override, snapshots, sleepAfter, state',
    ],
    ['a conversation without id', { ...good, conversation: '' }, 'conversation', 'must be the workflow id of an earlier run'],
    ['an id with a line break', { ...good, conversation: 'a\nb' }, 'conversation', 'must be the workflow id'],
    ['an orchestration by definition', { task: 'tea', orchestration: {} }, 'orchestration', 'must be a name'],
    ['a Date', { ...good, options: { since: new Date(0) } }, 'options.since', 'must be plain JSON, not a Date'],
    ['a function', agent({ instructions: () => 'x' }), 'agents[0].instructions', 'must be JSON, not a function'],
  ])('%s', (_, input, path, text) => {
    const { type, problems, message: whole } = refusal(input);

    expect(type).toBe('Input.Invalid');
    expect(problems.map((problem) => problem.path)).toContain(path);
    const { message: said } = problems.find((problem) => problem.path === path) as Problem;
    expect(said).toContain(text);
    expect(whole).toContain(said);
  });

  test('two agents in a session', () => {
    expect(refusal({ agents: ['a', 'b'] }, 'session').problems).toEqual([{ path: 'agents', message: 'must hold exactly 1, not 2' }]);
  });

  test('everything but options and counts of a pattern that is not on the menu', () => {
    const { problems } = refusal({ agents: ['1st'], limits: { turns: 0 }, options: 5 }, 'debate');

    expect(problems.map((problem) => problem.path)).toEqual(['agents[0]', 'options', 'limits.turns']);
  });
});

describe('a refusal', () => {
  test('lists all problems at once, in one readable message', () => {
    const { message, problems } = refusal({
      task: '',
      agents: ['1st', { name: 'writer' }, 'Writer'],
      limits: { turns: 0, time: 'soon' },
      optoins: {},
    });

    expect(problems.map((problem) => problem.path)).toEqual([
      'task',
      'agents[0]',
      'agents[1].instructions',
      'limits.turns',
      'limits.time',
      'optoins',
      'agents[2]',
    ]);
    expect(message.split('\n')[0]).toBe('The run input has 7 problems:');
    expect(message).toContain('- agents[1].instructions: is missing; it must be a text that is not empty');
  });

  test('names twenty problems and counts the rest', () => {
    const { message, problems } = refusal({ task: 'tea', agents: Array.from({ length: 50 }, (_, i) => `${i}`) });

    expect(problems).toHaveLength(50);
    expect(message.split('\n')).toHaveLength(22);
    expect(message).toMatch(/- and 30 more$/);
  });
});

describe('a hostile input', () => {
  const parts = {
    'half a million numbers as agents': () => ({ task: 'tea', agents: new Array(500_000).fill(1) }),
    'ninety thousand unknown members': () => ({ ...good, ...Object.fromEntries(Array.from({ length: 90_000 }, (_, i) => [`k${i}`, 1])) }),
    'half a million wrong contents': () => ({
      ...good,
      task: Array.from({ length: 900 }, () => ({ role: 'user', contents: new Array(500).fill(1) })),
    }),
    'a member with a name of a megabyte': () => ({ ...good, ['n'.repeat(1_000_000)]: 1 }),
    'a name of a megabyte': () => ({ task: 'tea', agents: ['a'.repeat(1_000_000)] }),
    'a megabyte of spaces': () => ({ ...good, task: ' '.repeat(1_000_000), conversation: '\t'.repeat(10_000) }),
  };

  test.each(Object.entries(parts))('%s is refused in bounded time, in a failure that can travel', (_, make) => {
    const input = make();
    const before = cpuMs();

    const refused = refusal(input);

    expect(cpuMs() - before).toBeLessThan(5000);
    expect(refused.type).toBe('Input.Invalid');
    expect(jsonBytes(refused)).toBeLessThan(100_000);
  });

  test.each([
    ['two megabytes of text', { ...good, task: 'x'.repeat(2_000_000) }],
    ['text that is short in characters only', { ...good, task: '€'.repeat(400_000) }],
    ['a million and a half of empty lists', { ...good, options: { list: new Array(700_000).fill([]) } }],
    ['a part that is shared a billion times', { ...good, options: doubled(60) }],
    ['a state of two megabytes', { state: 'x'.repeat(2_000_000) }],
  ])('%s: too large', (_, input) => {
    const before = cpuMs();

    const { type, message } = refusal(input);

    expect(type).toBe('Input.TooLarge');
    expect(message).toContain(`at most ${sizes.input} can be sent`);
    expect(cpuMs() - before).toBeLessThan(5000);
  });

  test('nested a hundred thousand deep is refused without blowing the stack', () => {
    const text = `{"task":"tea","agents":["a"],"options":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`;

    const { problems } = refusal(JSON.parse(text));

    expect(problems.some(({ message }) => message === 'is nested deeper than 100 levels')).toBe(true);
  });

  test('a state nested a hundred thousand deep is refused as well', () => {
    const state: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);

    expect(refusal({ state }).problems).toEqual([{ path: 'state', message: 'must be the serialized state of a run' }]);
  });

  test('a circle is refused', () => {
    const circle: Record<string, unknown> = {};
    circle.again = circle;

    expect(refusal({ ...good, options: circle }).problems.some(({ message }) => message.includes('nested deeper'))).toBe(true);
  });

  test.each(['__proto__', 'constructor', 'prototype'])('a member called %s is refused wherever it is', (name) => {
    const input: unknown = JSON.parse(
      `{"task":"tea","${name}":{},"agents":[{"name":"a","instructions":"x","outputSchema":{"${name}":{}}}]}`,
    );

    const { problems } = refusal(input);

    expect(problems).toEqual([
      { path: name, message: 'is a name that is not allowed in a document' },
      { path: `agents[0].outputSchema.${name}`, message: 'is a name that is not allowed in a document' },
    ]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  function doubled(times: number): object {
    let part: object = {};
    for (let i = 0; i < times; i++) part = { a: part, b: part };
    return part;
  }
});
