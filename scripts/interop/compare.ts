/**
 * Whether two documents say the same: nulls are members that are not there, times are moments to the microsecond, the order of members
 * says nothing.
 */
import type { Tree } from '../../test/agent-state/text-tree.js';

export function differences(expected: Tree | undefined, actual: Tree | undefined, path = 'document'): string[] {
  if (expected instanceof Map && actual instanceof Map) {
    const names = new Set([...expected.keys(), ...actual.keys()]);
    return [...names].flatMap((name) => {
      const [left, right] = [given(expected.get(name)), given(actual.get(name))];
      if (isTime(name, left) && isTime(name, right) && moment(left) === moment(right)) return [];
      return differences(left, right, `${path}.${name}`);
    });
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length !== actual.length) return [`${path}: ${expected.length} items became ${actual.length}`];
    return expected.flatMap((item, i) => differences(item, actual[i], `${path}[${i}]`));
  }
  return same(expected, actual) ? [] : [`${path}: ${show(expected)} became ${show(actual)}`];
}

function given(tree: Tree | undefined): Tree | undefined {
  return tree === 'null' ? undefined : tree;
}

function same(expected: Tree | undefined, actual: Tree | undefined): boolean {
  if (expected === actual) return true;
  const isNumber = (tree: Tree | undefined): tree is string => typeof tree === 'string' && /^-?\d/.test(tree);
  if (!isNumber(expected) || !isNumber(actual)) return false;
  // Whole numbers are exact in Python, others are what JavaScript makes of them.
  const areWhole = [expected, actual].every((text) => /^-?\d+$/.test(text));
  return areWhole ? BigInt(expected) === BigInt(actual) : Number(expected) === Number(actual);
}

const timeForm = /^"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?"$/;

function isTime(name: string, tree: Tree | undefined): tree is string {
  return ['createdAt', 'expirationTimeUtc'].includes(name) && typeof tree === 'string' && timeForm.test(tree);
}

function moment(text: string): string {
  const [, second, fraction = '', offset] = timeForm.exec(text) ?? [];
  const time = Date.parse(`${second}${offset ?? 'Z'}`) / 1000;
  return `${time}.${fraction.slice(0, 6).padEnd(6, '0')}${offset === undefined ? ' without offset' : ''}`;
}

function show(tree: Tree | undefined): string {
  if (tree === undefined) return 'nothing';
  if (typeof tree === 'string') return tree.length > 60 ? `${tree.slice(0, 59)}…` : tree;
  return Array.isArray(tree) ? 'a list' : 'an object';
}

const usage = ['inputTokenCount', 'outputTokenCount', 'totalTokenCount', 'extensionData'];
const kept = {
  root: ['schemaVersion', 'data'],
  data: ['conversationHistory', 'extensionData'],
  entry: ['$type', 'correlationId', 'createdAt', 'messages', 'orchestrationId', 'responseType', 'responseSchema', 'usage'],
  message: ['role', 'contents', 'createdAt', 'authorName'],
  content: '$type text uri mediaType message errorCode details callId name arguments result fileId vectorStoreId usage content'.split(' '),
};

/** What Python itself keeps of a document: the members that its classes have. */
export function keptByPython(document: Tree): Tree {
  const content = (tree: Tree) => only(tree, kept.content, { usage: (inner) => only(inner, usage) });
  const message = (tree: Tree) => only(tree, kept.message, { contents: each(content) });
  const entry = (tree: Tree) => only(tree, kept.entry, { messages: each(message), usage: (inner) => only(inner, usage) });
  const data = (tree: Tree) => only(tree, kept.data, { conversationHistory: each(entry) });
  return only(document, kept.root, { data });
}

function only(tree: Tree, names: readonly string[], inside: { [name: string]: (tree: Tree) => Tree } = {}): Tree {
  if (!(tree instanceof Map)) return tree;
  const members = [...tree].filter(([name]) => names.includes(name));
  return new Map(members.map(([name, member]) => [name, inside[name]?.(member) ?? member]));
}

function each(change: (tree: Tree) => Tree): (tree: Tree) => Tree {
  return (tree) => (Array.isArray(tree) ? tree.map(change) : tree);
}
