/** What holds for any document, and for what chance makes of one. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAgentState, serializeAgentState } from '../../src/index.js';
import { fixture, fixtureNames } from './fixtures.js';
import { refusalOf } from './refusing.js';
import { sorted, textOfTree, treeOf, withoutTypeFirst, type Tree } from './text-tree.js';

type Arbitrary = fc.Arbitrary<Tree>;

const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,24})(\.\d{1,20})?([eE][+-]?\d{1,3})?$/);
const text: Arbitrary = fc.string({ unit: 'grapheme', maxLength: 12 }).map((words) => JSON.stringify(words));
const name = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
  fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'json_type', '7', '$id', 'extensionData'),
);
const { json } = fc.letrec<{ json: Tree }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('null', 'true', 'false'),
    digits,
    text,
    fc.array(tie('json'), { maxLength: 3 }),
    membersOf(tie('json')),
  ),
}));
const whole = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const time = fc
  .tuple(fc.date({ min: new Date('1000-01-01'), max: new Date('3000-01-01'), noInvalidDate: true }), fc.constantFrom('', '0001'))
  .map(([date, more]) => JSON.stringify(date.toISOString().replace('Z', `${more}+00:00`)));

function membersOf(value: Arbitrary): fc.Arbitrary<Map<string, Tree>> {
  return fc.array(fc.tuple(name, value), { maxLength: 3 }).map((members) => new Map(members));
}

/** Known members, some left out, among unknown ones, in any order; `$type` wherever it comes to stand. */
function object(required: Record<string, Arbitrary>, optional: Record<string, Arbitrary> = {}): Arbitrary {
  return fc
    .tuple(fc.record({ ...optional, ...required }, { requiredKeys: Object.keys(required) }), membersOf(json))
    .chain(([known, unknown]) => {
      for (const key of [...Object.keys(required), ...Object.keys(optional)]) unknown.delete(key);
      const members = [...Object.entries(known as Record<string, Tree>), ...unknown];
      return fc.shuffledSubarray(members, { minLength: members.length }).map((shuffled) => new Map(shuffled));
    });
}

const kind = ($type: string) => ({ $type: fc.constant(JSON.stringify($type)) });
const record = membersOf(json);
const usage = object({}, { inputTokenCount: whole, outputTokenCount: whole, totalTokenCount: whole });
const notNull = json.filter((tree) => tree !== 'null');
const content = fc.oneof(
  object({ ...kind('text'), text }),
  object(kind('reasoning'), { text }),
  object({ ...kind('functionCall'), callId: text, name: text, arguments: record }),
  object({ ...kind('functionResult'), callId: text }, { result: notNull }),
  object(kind('error'), { message: text, errorCode: text, details: text }),
  object({ ...kind('data'), uri: text }, { mediaType: text }),
  object({ ...kind('uri'), uri: text, mediaType: text }),
  object({ ...kind('hostedFile'), fileId: text }),
  object({ ...kind('hostedVectorStore'), vectorStoreId: text }),
  object({ ...kind('usage'), usage }),
  object({ ...kind('unknown'), content: notNull }),
  object(kind('hologram'), { text: json }),
);
const message = object({ role: text, contents: fc.array(content, { maxLength: 4 }) }, { authorName: text, createdAt: time });
const common = { correlationId: text, createdAt: time, messages: fc.array(message, { maxLength: 3 }) };
const entry = fc.oneof(
  object(
    { ...kind('request'), ...common },
    { orchestrationId: fc.oneof(text, fc.constant('null')), responseType: text, responseSchema: notNull },
  ),
  object({ ...kind('response'), ...common }, { usage }),
  object(kind('compaction'), { messages: json }),
);
const data = object({ conversationHistory: fc.array(entry, { maxLength: 3 }) }, { expirationTimeUtc: fc.oneof(time, fc.constant('null')) });
const part = fc.nat({ max: 999_999_999 });
const version = fc.tuple(part, part).map(([minor, patch]) => `"1.${minor}.${patch}"`);
const document = object({ schemaVersion: version, data });

describe('any document', () => {
  test('comes out as it went in: no number, name or member is lost, and $type is first', () => {
    fc.assert(
      fc.property(document, (tree) => {
        const written = treeOf(serializeAgentState(parseAgentState(textOfTree(tree))));

        expect(sorted(written)).toBe(sorted(tree));
        expect(withoutTypeFirst(written)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('is the same when it is written and read', () => {
    fc.assert(
      fc.property(document, (tree) => {
        const state = parseAgentState(textOfTree(tree));

        expect(parseAgentState(serializeAgentState(state))).toEqual(state);
        expect(parseAgentState(state)).toEqual(state);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a document that something has happened to is read, or refused with one failure', () => {
  const known = fixtureNames.map((file) => treeOf(fixture(file)));
  const chance = fc.oneof(document, fc.constantFrom(...known));
  const either = (input: unknown) => {
    const refused = refusalOf(() => {
      const state = parseAgentState(input);
      expect(parseAgentState(serializeAgentState(state))).toEqual(state);
    });
    if (refused) expect(['State.Unreadable', 'State.Newer']).toContain(refused.type);
    if (refused) expect(refused.problems.length).toBeGreaterThan(0);
  };

  test('a member is gone, or is something else', () => {
    fc.assert(
      fc.property(chance, fc.nat(), fc.option(json), (tree, place, instead) => {
        const text = textOfTree(changed(tree, place, instead));

        either(text);
        either(JSON.parse(text));
      }),
      { numRuns: 1000 },
    );
  });

  test('a piece of the text is gone, or is another one', () => {
    fc.assert(
      fc.property(chance, fc.nat(), fc.nat({ max: 30 }), fc.oneof(fc.constant(''), fc.string()), (tree, place, length, instead) => {
        const text = textOfTree(tree);
        const start = place % text.length;

        either(text.slice(0, start));
        either(text.slice(0, start) + instead + text.slice(start + length));
      }),
      { numRuns: 1000 },
    );
  });

  test('it is no document at all', () => {
    fc.assert(fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }), either));
    fc.assert(fc.property(fc.string(), either));
  });
});

/** A copy whose member number `place` is left out, or replaced. */
function changed(tree: Tree, place: number, instead: Tree | null): Tree {
  const places: { change: () => void }[] = [];
  const copy = (from: Tree): Tree => {
    if (typeof from === 'string') return from;
    if (Array.isArray(from)) {
      const list: Tree[] = from.map(copy);
      list.forEach((_, i) => places.push({ change: () => void list.splice(i, 1, ...(instead === null ? [] : [instead])) }));
      return list;
    }
    const members = new Map([...from].map(([key, member]) => [key, copy(member)] as const));
    for (const key of members.keys())
      places.push({ change: () => void (instead === null ? members.delete(key) : members.set(key, instead)) });
    return members;
  };
  const root = copy(tree);
  places[place % places.length]?.change();
  return root;
}
