import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { failureOf } from '../../src/contract/failure.js';
import type { Problem } from '../../src/contract/problems.js';
import { defineTool, type Tool } from '../../src/tools/define-tool.js';
import { createToolRegistry, policyOf } from '../../src/tools/registry.js';

const weather = defineTool({
  name: 'weather',
  description: 'Current weather of a city.',
  input: z.object({ city: z.string().describe('Its name.'), days: z.number().default(1), unit: z.enum(['C', 'F']).optional() }),
  run: ({ city }) => city,
});

function problemsOf(tools: unknown[]): Problem[] {
  try {
    createToolRegistry(tools as Tool[]);
  } catch (error) {
    expect(failureOf(error).type).toBe('Input.Invalid');
    return failureOf(error).details?.[0] as Problem[];
  }
  return [];
}

describe('a registered tool', () => {
  test('is found by its name', () => {
    const registry = createToolRegistry([weather]);

    expect(registry.get('weather')).toBe(weather);
    expect(registry.get('toString')).toBeUndefined();
    expect(registry.names()).toEqual(['weather']);
  });

  test('is told to the model by the JSON schema of its input: what has a default may be left out', () => {
    expect(createToolRegistry([weather]).spec('weather')).toEqual({
      name: 'weather',
      description: 'Current weather of a city.',
      parameters: {
        type: 'object',
        properties: {
          city: { type: 'string', description: 'Its name.' },
          days: { type: 'number', default: 1 },
          unit: { type: 'string', enum: ['C', 'F'] },
        },
        required: ['city'],
      },
    });
  });

  test('is told by what has to be written, not by what becomes of it', () => {
    const tool = defineTool({ ...weather, input: z.object({ city: z.string().transform((city) => city.length) }), run: () => 1 });

    expect(createToolRegistry([tool]).spec('weather')?.parameters.properties).toEqual({ city: { type: 'string' } });
  });

  test('may be given twice', () => {
    expect(createToolRegistry([weather, weather]).names()).toEqual(['weather']);
  });

  test('may come later', () => {
    const registry = createToolRegistry([]);

    expect(registry.offer(weather, 'agents[0].tools[0]')).toEqual([]);
    expect(registry.offer({ ...weather }, 'agents[1].tools[0]')).toEqual([
      { path: 'agents[1].tools[0].name', message: '"weather" is the name of another tool, agents[0].tools[0]; rename one of them' },
    ]);
    expect(registry.get('weather')).toBe(weather);
  });
});

describe('registration refuses', () => {
  test.each<[string, object, string, string]>([
    ['a bad name', { name: 'the weather' }, 'tools[0].name', 'must be a letter, then'],
    ['no description', { description: ' ' }, 'tools[0].description', 'must be a text that tells the model when to use it, not " "'],
    ['no function', { run: undefined }, 'tools[0].run', 'must be a function, not undefined'],
    ['no time', { timeout: 0 }, 'tools[0].timeout', 'must be a span of time over 0'],
    ['a time in unknown words', { timeout: '3 moons' }, 'tools[0].timeout', 'not "3 moons"'],
    ['no attempts', { retry: 0 }, 'tools[0].retry', "must be 'none' or a number of attempts from 1 to 100, not 0"],
    ['retrying for ever', { retry: Infinity }, 'tools[0].retry', 'not Infinity'],
    ['no approval', { approval: false }, 'tools[0].approval', 'must be true or an object such as'],
    ['a word for it', { approval: { onTimeout: 'end' } }, 'tools[0].approval.onTimeout', 'must be one of approve, reject, fail'],
    ['a predicate that is none', { approval: { when: 7 } }, 'tools[0].approval.when', 'must be a function, or the name of one, not 7'],
    ['what is no outcome', { onUnknownOutcome: 'retry' }, 'tools[0].onUnknownOutcome', "must be 'tell' or 'ask', not \"retry\""],
    ['no schema', { input: undefined }, 'tools[0].input', 'must be a schema of zod 4'],
    ['a JSON schema', { input: { type: 'object' } }, 'tools[0].input', 'must be a schema of zod 4, such as z.object({ … }), not an object'],
    ['a text as input', { input: z.string() }, 'tools[0].input', 'must be an object schema'],
    [
      'one of several objects',
      { input: z.union([z.object({ a: z.string() }), z.object({})]) },
      'tools[0].input',
      'must be an object schema',
    ],
    [
      'a date, which JSON has not',
      { input: z.object({ at: z.date() }) },
      'tools[0].input',
      'has no JSON schema that a model could be told: Date',
    ],
    ['a map, which JSON has not', { input: z.object({ at: z.map(z.string(), z.string()) }) }, 'tools[0].input', 'has no JSON schema'],
  ])('%s', (_, change, path, message) => {
    const problems = problemsOf([{ ...weather, ...change }]);

    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(problems[0]?.message).toContain(message);
  });

  test('what is no tool', () => {
    expect(problemsOf([undefined, 'weather'])).toEqual([
      { path: 'tools[0]', message: 'must be a tool made with defineTool, not undefined' },
      { path: 'tools[1]', message: 'must be a tool made with defineTool, not "weather"' },
    ]);
  });

  test('two tools under one name, capitals aside', () => {
    expect(problemsOf([weather, { ...weather, name: 'Weather' }])).toEqual([
      { path: 'tools[1].name', message: '"Weather" is the name of another tool, tools[0]; rename one of them' },
    ]);
  });

  test('everything at once', () => {
    const paths = problemsOf([{ ...weather, name: '', description: '' }, { ...weather, input: z.bigint() }, null]).map(({ path }) => path);

    expect(paths).toEqual(['tools[0].name', 'tools[0].description', 'tools[1].input', 'tools[2]']);
  });
});

describe('the policy of a tool', () => {
  test.each<[string, Partial<Tool>, object | undefined]>([
    ['that says nothing is the default', {}, undefined],
    ['started at most once', { retry: 'none' }, { attempts: 1 }],
    ['with attempts', { retry: 4 }, { attempts: 4 }],
    ['with a timeout in words', { timeout: '90 seconds' }, { timeoutMs: 90_000 }],
    ['with everything', { timeout: 500, retry: 2 }, { timeoutMs: 500, attempts: 2 }],
  ])('%s', (_, change, policy) => {
    expect(policyOf({ ...weather, ...change })).toEqual(policy);
  });
});
