import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { distinct, problemsOfZod } from '../../src/contract/problems.js';
import { terminationSchema } from '../../src/contract/termination-schema.js';
import type { Condition } from '../../src/contract/termination.js';
import { cpuMs } from '../support/cpu.js';

const leaf: Condition = { type: 'maxTurns', max: 3 };

function problems(value: unknown): string[] {
  const result = terminationSchema.safeParse(value);
  if (result.success) return [];
  return distinct(problemsOfZod(result.error, value)).map(({ path, message }) => `${path}: ${message}`);
}

function nested(levels: number): Condition {
  return levels === 1 ? leaf : { type: 'and', conditions: [nested(levels - 1)] };
}

function any(conditions: unknown[]): { type: 'or'; conditions: unknown[] } {
  return { type: 'or', conditions };
}

describe('a good condition is passed on as it is', () => {
  test.each<[string, Condition]>([
    ['messages', { type: 'maxMessages', max: 1 }],
    ['turns', leaf],
    ['a text', { type: 'textMention', text: 'DONE' }],
    ['a text with everything', { type: 'textMention', text: 'DONE', sources: ['critic'], includeTask: true, caseSensitive: false }],
    ['a request to stop', { type: 'stopMessage' }],
    ['a handoff', { type: 'handoffTo', target: 'anna' }],
    ['a call', { type: 'functionCall', name: 'save' }],
    ['any reply', { type: 'textMessage' }],
    ['a reply of one', { type: 'textMessage', source: 'writer' }],
    ['speakers', { type: 'source', sources: ['writer', 'a person with spaces'] }],
    ['tokens', { type: 'tokenUsage', total: 1, input: 2, output: 3 }],
    ['some tokens', { type: 'tokenUsage', output: 3 }],
    ['a time in words', { type: 'timeout', after: '90 seconds' }],
    ['a time in milliseconds', { type: 'timeout', after: 1 }],
    ['somebody outside', { type: 'external' }],
    ['a function', { type: 'custom', function: 'isGood' }],
    ['a tree', { type: 'or', conditions: [{ type: 'and', conditions: [leaf, { type: 'external' }] }, leaf] }],
    ['eight levels', nested(8)],
    ['fifty conditions in one', { type: 'or', conditions: Array.from({ length: 50 }, () => leaf) }],
    [
      'a hundred conditions in all',
      {
        type: 'or',
        conditions: [1, 2].map((): Condition => ({ type: 'and', conditions: Array.from({ length: 48 }, () => leaf) })).concat(leaf),
      },
    ],
  ])('%s', (_, condition) => {
    expect(terminationSchema.parse(condition)).toEqual(condition);
  });

  test('null is as good as absent', () => {
    expect(terminationSchema.parse({ type: 'or', conditions: [{ type: 'textMessage', source: null }] })).toEqual({
      type: 'or',
      conditions: [{ type: 'textMessage' }],
    });
  });

  test('it may be left out', () => {
    expect(z.object({ termination: terminationSchema.optional() }).parse({})).toEqual({});
  });
});

describe('a wrong condition is refused with what it must be', () => {
  test.each<[string, unknown, string[]]>([
    ['no object', 'done', [': must be a condition such as { "type": "maxMessages", "max": 20 }, not "done"']],
    ['a list', [leaf], [': must be a condition such as { "type": "maxMessages", "max": 20 }, not a list of 1']],
    [
      'an unknown type',
      { type: 'maxMesages', max: 3 },
      [
        'type: must be one of maxMessages, maxTurns, textMention, stopMessage, handoffTo, functionCall, textMessage, source, tokenUsage, timeout, external, custom, and, or, not "maxMesages"',
      ],
    ],
    [
      'no type',
      any([leaf, {}]),
      [
        'conditions[1].type: is missing; it must be one of maxMessages, maxTurns, textMention, stopMessage, handoffTo, functionCall, textMessage, source, tokenUsage, timeout, external, custom, and, or',
      ],
    ],
    ['a member too many', { type: 'maxTurns', max: 1, maxx: 2 }, ['maxx: is not known here; did you mean "max"?']],
    ['a member of another type', any([{ type: 'external', max: 2 }]), ['conditions[0].max: is not known here; known: type']],
    ['no number', { type: 'maxTurns' }, ['max: is missing; it must be a whole number of at least 1']],
    ['zero', { type: 'maxTurns', max: 0 }, ['max: must be a whole number of at least 1, not 0']],
    ['a broken number', { type: 'maxMessages', max: 1.5 }, ['max: must be a whole number of at least 1, not 1.5']],
    ['an empty text', { type: 'textMention', text: '' }, ['text: must be a text of 1 to 1000 characters, not ""']],
    ['no names', { type: 'source', sources: [] }, ['sources: must be a list of at least one name, not an empty list']],
    ['an empty name', { type: 'source', sources: ['a', ''] }, ['sources[1]: must be a name of 1 to 200 characters, not ""']],
    [
      'a long name',
      { type: 'handoffTo', target: 'x'.repeat(201) },
      [`target: must be a name of 1 to 200 characters, not "${'x'.repeat(59)}…"`],
    ],
    ['no tokens', { type: 'tokenUsage' }, [': must hold at least one of total, input and output, not an object']],
    ['no tokens but null', { type: 'tokenUsage', total: null }, [': must hold at least one of total, input and output, not an object']],
    [
      'a time of nothing',
      { type: 'timeout', after: 0 },
      ['after: must be a span of time over 0: milliseconds, or words such as "90 seconds", at most ten years, not 0'],
    ],
    [
      'eleven years',
      { type: 'timeout', after: '11 years' },
      ['after: must be a span of time over 0: milliseconds, or words such as "90 seconds", at most ten years, not "11 years"'],
    ],
    [
      'a function that is no name',
      { type: 'custom', function: 'is good' },
      ['function: must be a name: a letter, then letters, digits, _ or -, at most 64 characters, not "is good"'],
    ],
    ['no conditions', { type: 'and', conditions: [] }, ['conditions: must be a list of at least one condition, not an empty list']],
    ['no list of conditions', { type: 'and', conditions: leaf }, ['conditions: must be a list of at least one condition, not an object']],
    [
      'several things at once',
      any([{ type: 'maxTurns', max: '3' }, leaf, any([{ type: 'external', now: 1 }])]),
      [
        'conditions[0].max: must be a whole number of at least 1, not "3"',
        'conditions[2].conditions[0].now: is not known here; known: type',
      ],
    ],
  ])('%s', (_, condition, expected) => {
    expect(problems(condition)).toEqual(expected);
  });
});

describe('a hostile condition costs no more than a good one', () => {
  const ninth = `${'conditions[0].'.repeat(7)}type: must be one without conditions of its own at level 8, the deepest there is, not "and"`;

  test('nine levels', () => {
    expect(problems(nested(9))).toEqual([ninth]);
  });

  test('a hundred thousand levels', () => {
    let tree: unknown = leaf;
    for (let i = 0; i < 100_000; i++) tree = { type: 'and', conditions: [tree] };

    expect(problems(tree)).toEqual([ninth]);
  });

  test('a circle', () => {
    const tree = { type: 'and', conditions: [] as unknown[] };
    tree.conditions.push(tree);

    expect(problems(tree)).toEqual([ninth]);
  });

  test('a circle that grows', () => {
    const tree = any([]);
    tree.conditions.push(...Array.from({ length: 50 }, () => tree));

    expect(problems(tree)).toEqual([': must be a tree of at most 100 conditions in all, not an object']);
  });

  test('a hundred and one conditions', () => {
    expect(problems(any([any(Array(48).fill(leaf)), any(Array(49).fill(leaf)), leaf]))).toEqual([
      ': must be a tree of at most 100 conditions in all, not an object',
    ]);
  });

  test('huge lists', () => {
    const start = cpuMs();

    expect(problems(any(Array(1_000_000).fill(any([]))))).toEqual(['conditions: must hold at most 50, not a list of 1000000']);
    expect(problems({ type: 'source', sources: Array(1_000_000).fill(1) })).toEqual([
      'sources: must hold at most 100, not a list of 1000000',
    ]);
    expect(cpuMs() - start).toBeLessThan(2000);
  });

  test('names that JavaScript knows', () => {
    const proto: unknown = JSON.parse('{ "type": "or", "conditions": [{ "type": "external", "__proto__": { "type": "custom" } }] }');

    expect(problems(proto)).toEqual(['conditions[0].__proto__: is not known here; known: type']);
    expect(problems(JSON.parse('{ "__proto__": { "type": "external" } }'))[0]).toMatch(/^type: is missing; it must be one of maxMessages/);
    expect(problems({ type: '__proto__' })[0]).toMatch(/^type: must be one of maxMessages/);
    expect(problems({ type: 'constructor' })[0]).toMatch(/^type: must be one of maxMessages/);
    expect(({} as { type?: unknown }).type).toBeUndefined();
  });

  test.each([null, undefined, 0, NaN, true, Symbol('x'), () => leaf, new Date(0), new Map()])('no condition at all: %s', (value) => {
    expect(problems(value)).toHaveLength(1);
  });
});
