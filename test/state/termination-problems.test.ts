import { describe, expect, test } from 'vitest';
import type { Content } from '../../src/contract/message.js';
import type { Condition } from '../../src/contract/termination.js';
import { noUsage, type Entry } from '../../src/contract/transcript.js';
import { problemsOf } from '../../src/state/shape.js';
import { observeEntry, observeExternal, openTermination, problemsOfTermination, terminationShape } from '../../src/state/termination.js';
import { cpuMs } from '../support/cpu.js';

const startedAt = Date.parse('2026-11-21T09:00:00.000Z');
const at = '2026-11-21T09:00:01.000Z';

function entry(content: Content): Entry {
  return { message: { role: 'assistant', authorName: 'a', contents: [content] }, turn: 1 };
}

describe('a saved state', () => {
  const tree: Condition = {
    type: 'or',
    conditions: [
      { type: 'maxMessages', max: 5 },
      { type: 'and', conditions: [{ type: 'external' }, { type: 'functionCall', name: 'save' }] },
      { type: 'timeout', after: '1 hour' },
    ],
  };
  const state = observeExternal(
    [entry({ $type: 'text', text: 'x' }), entry({ $type: 'functionCall', callId: '1', name: 'save', arguments: {} })].reduce(
      (before, said) => observeEntry(before, { entry: said, at, usage: noUsage }),
      openTermination(tree, startedAt),
    ),
    { at },
  );
  type Loose = { [member: string]: Loose } & { conditions: Loose[] };
  const damaged = (change: (value: Loose) => void): string[] => {
    const copy = JSON.parse(JSON.stringify(state)) as Loose;
    change(copy);
    return problemsOfTermination(copy);
  };
  const placeIn = (value: Loose | undefined, ...path: number[]): Loose =>
    path.reduce((inner: Loose | undefined, i) => inner?.conditions[i], value) as Loose;

  test('is good as it was written', () => {
    expect(problemsOfTermination(state)).toEqual([]);
    expect(problemsOf(state, terminationShape)).toEqual([]);
  });

  test.each<[string, (value: Loose) => void, string[]]>([
    ['another version', (value) => Object.assign(value, { version: 2 }), ['termination.version: expected 1, found 2']],
    ['no start', (value) => delete value.startedAt, ['termination.startedAt: expected a whole number from 0, found nothing']],
    ['no tree', (value) => Object.assign(value, { root: [] }), ['termination.root: expected an object, found a list']],
    [
      'an unknown condition',
      (value) => Object.assign(placeIn(value.condition, 1, 0), { type: 'constructor' }),
      ['termination.condition.conditions[1].conditions[0].type: no condition is called "constructor"'],
    ],
    [
      'another condition than the state is of',
      (value) => Object.assign(placeIn(value.condition, 1, 0), { type: 'stopMessage' }),
      ['termination.root.conditions[1].conditions[0].fired.type: expected "stopMessage", found "external"'],
    ],
    [
      'a state of another place',
      (value) => Object.assign(placeIn(value.root, 1, 0).fired as Loose, { path: '' }),
      ['termination.root.conditions[1].conditions[0].fired.path: expected "conditions[1].conditions[0]", found ""'],
    ],
    [
      'a member that is missing',
      (value) => delete placeIn(value.condition, 0).max,
      ['termination.condition.conditions[0].max: expected a whole number from 0, found nothing'],
    ],
    [
      'no span',
      (value) => Object.assign(placeIn(value.condition, 2), { after: 'soon' }),
      ['termination.condition.conditions[2].after: expected a span of time'],
    ],
    [
      'a wrong count',
      (value) => Object.assign(placeIn(value.root, 0), { count: -1 }),
      ['termination.root.conditions[0].count: expected a whole number from 0, found a number'],
    ],
    [
      'a count that is over',
      (value) => Object.assign(placeIn(value.root, 0), { count: 5 }),
      ['termination.root.conditions[0].count: 5 of 5 were said, and it has not fired'],
    ],
    [
      'a memory of something else',
      (value) => Object.assign(placeIn(value.root, 2), { count: 1 }),
      ['termination.root.conditions[2]: "count" is nothing that "timeout" remembers'],
    ],
    [
      'a tree that says that it has fired',
      (value) => Object.assign(placeIn(value.root, 1), { fired: placeIn(value.root, 1, 0).fired }),
      ['termination.root.conditions[1]: "fired" is nothing that "and" remembers'],
    ],
    ['fewer states', (value) => void value.root?.conditions.pop(), ['termination.root.conditions: expected 3, found 2']],
    ['fewer conditions', (value) => void value.condition?.conditions.pop(), ['termination.root.conditions: expected 2, found 3']],
    [
      'an empty tree',
      (value) => {
        Object.assign(placeIn(value.condition, 1), { conditions: [] });
        Object.assign(placeIn(value.root, 1), { conditions: [] });
      },
      ['termination.condition.conditions[1].conditions: expected 1 to 50, found 0'],
    ],
    [
      'no list',
      (value) => Object.assign(placeIn(value.root, 1), { conditions: { 0: {}, length: 1 } }),
      ['termination.root.conditions[1].conditions: expected a list, found an object'],
    ],
    [
      'too many calls',
      (value) => Object.assign(placeIn(value.root, 1, 1), { calls: Array(101).fill('1/1') }),
      ['termination.root.conditions[1].conditions[1].calls: more than 100'],
    ],
  ])('with %s does not fit', (_, change, expected) => {
    expect(damaged(change)).toEqual(expected);
  });

  test.each([null, undefined, 0, 'x', [], {}, { version: 1 }, { version: 1, startedAt: 0, condition: {}, root: {} }, () => 1])(
    'that is none is refused: %j',
    (value) => {
      expect(problemsOfTermination(value).length).toBeGreaterThan(0);
    },
  );

  test('that is huge is refused at once', () => {
    const start = cpuMs();
    let deep: unknown = { type: 'external' };
    let deepState: unknown = {};
    for (let i = 0; i < 100_000; i++) [deep, deepState] = [{ type: 'and', conditions: [deep] }, { conditions: [deepState] }];
    const saved = (condition: unknown, root: unknown) => problemsOfTermination({ version: 1, startedAt, condition, root });
    const wide = (of: number, child: unknown) => Array(of).fill(child) as unknown[];
    const circle = { type: 'or', conditions: [] as unknown[] };
    const states = { conditions: [] as unknown[] };
    circle.conditions.push(...wide(50, circle));
    states.conditions.push(...wide(50, states));

    expect(saved(deep, deepState)).toEqual([`termination.condition.${'conditions[0].'.repeat(7)}conditions: deeper than 8 levels`]);
    expect(saved({ type: 'or', conditions: wide(1_000_000, 1) }, { conditions: wide(1_000_000, 1) })).toHaveLength(20);
    expect(saved({ type: 'or', conditions: wide(1_000_000, {}) }, { conditions: wide(1_000_000, {}) })).toEqual([
      'termination.condition.conditions: expected 1 to 50, found 1000000',
    ]);
    expect(saved(circle, states)).toHaveLength(20);
    expect(cpuMs() - start).toBeLessThan(2000);
  });

  test('with names that JavaScript knows changes nothing', () => {
    const text = JSON.stringify(state).replace('"root":{', '"root":{"__proto__":{"fired":{}},');

    expect(problemsOfTermination(JSON.parse(text))).toEqual(['termination.root: "__proto__" is nothing that "or" remembers']);
    expect(damaged((value) => Object.assign(value.condition as Loose, { type: '__proto__' }))).toHaveLength(1);
  });
});
