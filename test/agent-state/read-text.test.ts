import { describe, expect, test } from 'vitest';
import { limits } from '../../src/agent-state/limits.js';
import { readText } from '../../src/agent-state/read-text.js';
import { parseAgentState, serializeAgentState } from '../../src/index.js';
import { documentOf, fixture, responseOf } from './fixtures.js';
import { problemsOf, refusalOf } from './refusing.js';
import { cpuMs } from '../support/cpu.js';

const exact = ['9007199254740993', '-9007199254740993', '1.0', '1e400', '-1E-400', '0.1000000000000000000001', '-0', '1e2', '1.50'];
const around = (json: string) => `{"schemaVersion":"1.1.0","data":{"conversationHistory":[],"x":${json}}}`;

describe('numbers', () => {
  test.each(exact)('%s comes out as it went in', (number) => {
    expect(serializeAgentState(parseAgentState(around(number)))).toBe(around(number));
  });

  test('are numbers when JavaScript writes them the same way', () => {
    expect(readText('[0,1,-2.5,1e+21,9007199254740991]')).toEqual([0, 1, -2.5, 1e21, 9007199254740991]);
  });

  test('are rounded by JSON.stringify, and by nothing else', () => {
    expect(JSON.stringify(parseAgentState(around('[9007199254740993,1.0,1e400]')))).toBe(
      around('[9007199254740992,1,1.7976931348623157e+308]'),
    );
  });

  test('in strings are no numbers', () => {
    expect(readText('{"1.0":"2.0 \\" 3.0"}')).toEqual({ '1.0': '2.0 " 3.0' });
  });
});

describe('names', () => {
  test.each(['{"__proto__":{"isAdmin":1}}', '{"__proto__":{"isAdmin":1.0}}'])('that mean something to JavaScript are data: %s', (json) => {
    const { x } = parseAgentState(around(json)).data as unknown as { x: object };

    expect(Object.keys(x)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(x)).toBe(Object.prototype);
    expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined();
    expect(x).not.toHaveProperty('isAdmin');
  });

  test.each(['{"a":1,"b":2,"a":3}', '{"a":1.0,"b":2,"a":3}'])('that come twice: the last one counts: %s', (json) => {
    expect(readText(json)).toEqual({ a: 3, b: 2 });
  });
});

describe('text that is no JSON says where', () => {
  test.each([
    ['', 'line 1, column 1'],
    ['{"a":1,\n "b":[1,', 'line 2, column 9'],
    ['{"a":1.0,\n "b":tru}', 'line 2, column 6'],
    ['{"a":"\n"}', 'line 1, column 7'],
    ['{"a":1}}', 'line 1, column 8'],
    ['{"a":01}', 'line 1, column 7'],
    ['{"a":1.0, 2.0:1}', 'line 1, column 11'],
    ['[1.0 2.0]', 'line 1, column 6'],
    ['[1.0.0]', 'line 1, column 5'],
    ['[1.0,+2.0]', 'line 1, column 6'],
    ['{"a":NaN}', 'line 1, column 6'],
    ["{'a':1}", 'line 1, column 2'],
    ['[1,]', 'line 1, column 4'],
    ['// comment\n{}', 'line 1, column 1'],
    ['"\\x"', 'line 1, column 2'],
  ])('%j', (text, place) => {
    expect(problemsOf(() => readText(text))).toEqual([expect.stringContaining(`is not JSON at ${place}: `)]);
  });

  test('wherever it breaks off', () => {
    const text = fixture('every-kind.json').trimEnd();

    for (let length = 0; length < text.length; length++)
      expect(refusalOf(() => parseAgentState(text.slice(0, length)))?.type, `after ${length} characters`).toBe('State.Unreadable');
  });

  test('a mark at the beginning is no mistake', () => {
    expect(parseAgentState(`\uFEFF${around('1')}`)).toEqual(parseAgentState(around('1')));
  });
});

describe('limits', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

  test('a hundred levels are read, from a text as from a value', () => {
    const deepest = around(nested(limits.depth - 2));
    const tooDeep = around(nested(limits.depth - 1));

    expect(serializeAgentState(parseAgentState(deepest))).toBe(deepest);
    expect(serializeAgentState(parseAgentState(JSON.parse(deepest)))).toBe(deepest);
    expect(problemsOf(() => parseAgentState(tooDeep))).toEqual([': is nested deeper than 100 levels']);
    expect(problemsOf(() => parseAgentState(JSON.parse(tooDeep)))).toEqual([expect.stringContaining(': is nested deeper than 100 levels')]);
  });

  test.each(['[', '{"a":', '[1.0,'])('a million levels of %s do not overflow the stack', (open) => {
    expect(problemsOf(() => readText(open.repeat(1_000_000)))).toEqual([': is nested deeper than 100 levels']);
  });

  test('a text that is too long is refused without a look at it', () => {
    const started = cpuMs();

    expect(refusalOf(() => parseAgentState(' '.repeat(100_000_000)))).toMatchObject({ type: 'Input.TooLarge' });
    expect(cpuMs() - started).toBeLessThan(1000);
  });

  test('a million values are too many, however small', () => {
    const text = around(`[${'0,'.repeat(limits.values)}1]`);

    expect(refusalOf(() => parseAgentState(text))?.type).toBe('Input.TooLarge');
    expect(refusalOf(() => parseAgentState(JSON.parse(text)))?.type).toBe('Input.TooLarge');
  });

  test('ten thousand entries are read and written in a moment, with exact numbers among them', () => {
    const began = cpuMs();
    const entry = JSON.stringify(
      responseOf({ $type: 'text', text: 'word '.repeat(200) }, { $type: 'functionCall', arguments: { x: 'N' } }),
    );
    const history = Array.from({ length: 10_000 }, () => entry.replace('"N"', '1.50')).join(',');

    const state = parseAgentState(`{"schemaVersion":"1.1.0","data":{"conversationHistory":[${history}]}}`);

    expect(state.data.conversationHistory).toHaveLength(10_000);
    expect(serializeAgentState(state).match(/"x":1\.50/g)).toHaveLength(10_000);
    expect(cpuMs() - began).toBeLessThan(15_000);
  });

  test('a large text keeps its numbers', () => {
    const text = around(`[1.0,"${'x'.repeat(limits.text / 2)}"]`);

    expect(serializeAgentState(parseAgentState(text))).toBe(text);
  });

  test.each(['{"$type":"request","messages":[{"role":"a","contents":[X]}]}', '{"$type":"request","messages":[X]}', 'X'])(
    'of half a million problems in %s the first thousand are looked for',
    (entry) => {
      const history = entry.replace('X', '{},'.repeat(490_000) + '1');
      const refused = refusalOf(() => parseAgentState(`{"schemaVersion":"1.1.0","data":{"conversationHistory":[${history}]}}`));

      expect(refused).toMatchObject({ type: 'State.Unreadable', message: expect.stringContaining('1000 problems') });
    },
  );

  test('what is written is not longer than what is read', () => {
    const document = parseAgentState(documentOf({ $type: 'other', text: '\u0000'.repeat(limits.text / 6) }));

    expect(refusalOf(() => serializeAgentState(document))?.type).toBe('Input.TooLarge');
  });
});
