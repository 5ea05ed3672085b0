import { describe, expect, test } from 'vitest';
import { failureOf } from '../../src/contract/failure.js';
import type { Problem } from '../../src/contract/problems.js';
import { defineFunction, isFunction, type RegisteredFunction } from '../../src/functions/define-function.js';
import { createFunctionRegistry } from '../../src/functions/registry.js';

const longest = defineFunction({ name: 'longest', description: 'The longest text.', run: (texts: string[]) => texts[0] });
const vote = defineFunction({ name: 'vote', run: () => true });

function problemsOf(functions: unknown[]): Problem[] {
  try {
    createFunctionRegistry(functions as RegisteredFunction[]);
    return [];
  } catch (error) {
    expect(failureOf(error).type).toBe('Input.Invalid');
    return failureOf(error).details?.[0] as Problem[];
  }
}

describe('a registered function', () => {
  test('is found by its name', () => {
    const registry = createFunctionRegistry([longest, vote]);

    expect(registry.names()).toEqual(['longest', 'vote']);
    expect(registry.get('longest')).toBe(longest);
    expect(registry.get('constructor')).toBeUndefined();
  });

  test('cannot be changed afterwards, and is told from what only looks like one', () => {
    expect(Object.isFrozen(longest)).toBe(true);
    expect(isFunction(longest)).toBe(true);
    expect([{ ...longest }, longest.run, 'longest', null, undefined].map(isFunction)).toEqual([false, false, false, false, false]);
  });

  test('may come more than once', () => {
    expect(createFunctionRegistry([longest, longest]).names()).toEqual(['longest']);
    expect(createFunctionRegistry([longest]).offer(longest, 'elsewhere')).toEqual([]);
  });

  test('may be offered later, unless its name is taken', () => {
    const registry = createFunctionRegistry([longest]);

    expect(registry.offer(vote, 'orchestrations[0].options.manager')).toEqual([]);
    expect(registry.get('vote')).toBe(vote);
    expect(registry.offer({ ...vote }, 'orchestrations[1].termination')).toEqual([
      {
        path: 'orchestrations[1].termination.name',
        message: '"vote" is the name of another function, orchestrations[0].options.manager; rename one of them',
      },
    ]);
  });
});

describe('registration refuses', () => {
  test.each<[string, unknown, string, string]>([
    ['a bad name', { ...longest, name: 'the longest' }, 'functions[0].name', 'must be a letter'],
    ['a name that is too long', { ...longest, name: 'x'.repeat(65) }, 'functions[0].name', 'at most 64 characters'],
    ['no name', { run: longest.run }, 'functions[0].name', 'not undefined'],
    ['nothing to run', { name: 'longest' }, 'functions[0].run', 'must be a function, not undefined'],
    ['what is no function', () => 1, 'functions[0]', 'must be a function made with defineFunction, not a function'],
    ['a name alone', 'longest', 'functions[0]', 'must be a function made with defineFunction, not "longest"'],
    ['null', null, 'functions[0]', 'not null'],
  ])('%s', (_, given, path, message) => {
    expect(problemsOf([given])).toEqual([{ path, message: expect.stringContaining(message) as string }]);
  });

  test('everything at once', () => {
    const problems = problemsOf([longest, { ...longest }, { name: '1', run: 2 }, 7]);

    expect(problems.map(({ path }) => path)).toEqual(['functions[1].name', 'functions[2].name', 'functions[2].run', 'functions[3]']);
  });
});
