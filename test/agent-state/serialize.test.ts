import { LosslessNumber } from 'lossless-json';
import { describe, expect, test } from 'vitest';
import { parseAgentState, serializeAgentState, type AgentStateDocument } from '../../src/index.js';
import { cpuMs } from '../support/cpu.js';
import { documentOf, fixture, fixtureNames, responseOf } from './fixtures.js';
import { problemsOf, refusalOf } from './refusing.js';
import { sorted, textOfTree, treeOf, withoutTypeFirst } from './text-tree.js';

const again = (text: string) => serializeAgentState(parseAgentState(text));

describe('a document of others comes out', () => {
  test.each(['dotnet-session.json', 'dotnet-without-expiry.json', 'every-kind.json', 'names-and-numbers.json'])('as it was: %s', (name) => {
    const text = fixture(name);

    expect(again(text)).toBe(textOfTree(treeOf(text)));
  });

  test('with everything that is not known, wherever it stands', () => {
    const text = fixture('later-release.json');

    expect(sorted(treeOf(again(text)))).toBe(sorted(treeOf(text)));
  });

  test.each(fixtureNames)('with $type first, and read again as the same: %s', (name) => {
    const text = again(fixture(name));

    expect(withoutTypeFirst(treeOf(text))).toEqual([]);
    expect(parseAgentState(text)).toEqual(parseAgentState(fixture(name)));
    expect(again(text)).toBe(text);
  });

  test('with $type first even where JavaScript would write another member first', () => {
    const response = { ...responseOf({ 7: 'b', text: 'a', $type: 'text' }, { 0: 1, $type: 'other' }), 3: null };

    expect(withoutTypeFirst(treeOf(serializeAgentState(documentOf(response) as AgentStateDocument)))).toEqual([]);
  });
});

describe('a document that nobody could read is not written', () => {
  test.each([
    ['of another version', { ...documentOf(), schemaVersion: '2.0.0' }, 'State.Newer'],
    ['without data', { schemaVersion: '1.1.0' }, 'State.Unreadable'],
    ['with a member of the wrong type', documentOf(responseOf({ $type: 'text', text: 1 })), 'State.Unreadable'],
  ])('%s', (_, document, type) => {
    expect(refusalOf(() => serializeAgentState(document as never))?.type).toBe(type);
  });
});

describe('a value', () => {
  const value = (x: unknown) => parseAgentState({ ...documentOf(), x });
  class Money {}

  test.each([
    ['a function', () => 1, 'x: must be JSON, not a function'],
    ['a bigint', 1n, 'x: must be JSON, not a bigint'],
    ['undefined', undefined, 'x: must be JSON, not undefined'],
    ['a symbol', Symbol('s'), 'x: must be JSON, not a symbol'],
    ['NaN', NaN, 'x: must be a number that JSON can hold, not NaN'],
    ['a date', new Date(), 'x: must be plain JSON, not a Date'],
    ['a map', new Map(), 'x: must be plain JSON, not a Map'],
    ['an instance of a class', new Money(), 'x: must be plain JSON, not a Money'],
    ['a hole', [, 1], 'x[0]: must be JSON, not undefined'], // eslint-disable-line no-sparse-arrays
  ])('may not hold %s', (_, x, problem) => {
    expect(problemsOf(() => value(x))).toEqual([problem]);
  });

  test('may not hold itself, but may use a part twice', () => {
    const circle: { own?: unknown; list: unknown[] } = { list: [] };
    circle.own = circle;
    circle.list.push(circle.list);
    const part = { a: 1 };

    expect(problemsOf(() => value(circle))).toEqual(['x.list[0]: holds itself', 'x.own: holds itself']);
    expect(value([part, part])).toMatchObject({ x: [part, part] });
  });

  test('that unfolds without end is too large, soon', () => {
    const began = cpuMs();
    let tree: unknown = 'leaf';
    for (let i = 0; i < 60; i++) tree = [tree, tree];

    expect(refusalOf(() => value(tree))?.type).toBe('Input.TooLarge');
    expect(cpuMs() - began).toBeLessThan(2000);
  });

  test('that is used twice is not nested deeper the second time than is allowed', () => {
    let part: unknown = [];
    for (let i = 0; i < 60; i++) part = [part];
    let deep: unknown = part;
    for (let i = 0; i < 60; i++) deep = [deep];

    expect(problemsOf(() => value([part, deep]))).toEqual([expect.stringContaining('is nested deeper than 100 levels')]);
  });

  test('whose accessors throw is refused like any other', () => {
    const refuses = Object.defineProperty({}, 'a', { enumerable: true, get: () => { throw new Error('No.'); } }); // prettier-ignore

    expect(problemsOf(() => value(refuses))).toEqual([': cannot be read: No.']);
  });

  test('is not held on to', () => {
    const given = documentOf(responseOf({ $type: 'text', text: 'before' }));
    const document = parseAgentState(given);

    (given.data.conversationHistory[0] as { messages: unknown[] }).messages.length = 0;

    expect(document).toMatchObject(documentOf(responseOf({ $type: 'text', text: 'before' })));
  });

  test('may hold exact numbers, of whichever library', () => {
    expect(serializeAgentState(value([new LosslessNumber('1.0'), new LosslessNumber('2')]))).toContain('"x":[1.0,2]');
  });

  test('keeps members that are called like parts of JavaScript', () => {
    const x = JSON.parse('{"__proto__":{"a":1},"constructor":1,"toString":null}') as unknown;

    expect(serializeAgentState(value(x))).toContain('"x":{"__proto__":{"a":1},"constructor":1,"toString":null}');
  });
});
