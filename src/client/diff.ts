/** What differs between two snapshots, for people: what was said since they parted, and what the run remembers otherwise. */
import type { Json } from '../contract/json.js';
import { cutText } from '../contract/cut-text.js';
import { callsOf, textOf, type Message } from '../contract/message.js';
import { sameJson } from '../contract/same-json.js';
import type { Snapshot } from '../contract/snapshot.js';
import type { Entry } from '../contract/transcript.js';
import type { RunState } from '../state/run-state.js';
import type { ClientContext } from './context.js';
import { readStoredSnapshot } from './snapshots.js';
import { readStored } from './transcript.js';

export interface SnapshotDiff {
  transcript: {
    /** Entries that both begin with. */
    common: number;
    /** Entries that only one of both has. */
    before: SaidLine[];
    after: SaidLine[];
  };
  /** Everything else. */
  changes: Change[];
}

export interface SaidLine {
  position: number;
  author: string;
  text: string;
}

/** `undefined`: it is not there. */
export interface Change {
  path: string;
  before?: Json;
  after?: Json;
}

/** The words of an entry that a line shows, in characters. */
const lineText = 500;

/** What says where something is, and not what it is. */
const internal = [
  'transcript',
  'steps',
  'eventCount',
  'continuations',
  'outbox',
  'post',
  'settings',
  'lastSnapshot',
  'judged',
  'said',
  'branch',
  'done',
];

export async function diffSnapshots(context: ClientContext, before: string, after: string): Promise<SnapshotDiff> {
  const [a, b] = await Promise.all([before, after].map((id) => readStoredSnapshot(context, id)) as [Promise<Snapshot>, Promise<Snapshot>]);
  const [said, saidLater] = await Promise.all(
    [a, b].map(({ state }) => readStored(context, (state as RunState).transcript.head)) as [Promise<Entry[]>, Promise<Entry[]>],
  );
  let common = 0;
  while (common < said.length && common < saidLater.length && sameJson(said[common] as never, saidLater[common] as never)) common += 1;
  return {
    transcript: { common, before: said.slice(common).map(lineOf(common)), after: saidLater.slice(common).map(lineOf(common)) },
    changes: changesBetween(comparable(a), comparable(b), ''),
  };
}

const lineOf =
  (from: number) =>
  (entry: Entry, i: number): SaidLine => ({
    position: from + i,
    author: entry.message.authorName ?? entry.message.role,
    text: shown(entry.message),
  });

/** A reply without words has made calls. */
function shown(message: Message): string {
  const words =
    textOf(message) ||
    callsOf(message)
      .map(({ name }) => `→ ${name}`)
      .join(' ');
  return cutText(words, lineText);
}

function comparable({ definition, state }: Snapshot): Json {
  const shown = Object.entries(state).filter(([name]) => !internal.includes(name));
  return { definition, ...Object.fromEntries(shown) } as unknown as Json;
}

function changesBetween(before: Json | undefined, after: Json | undefined, path: string): Change[] {
  if (before !== undefined && after !== undefined && sameJson(before, after)) return [];
  if (!isObject(before) || !isObject(after))
    return [{ path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    before[key] === undefined && after[key] === undefined
      ? []
      : changesBetween(before[key], after[key], path === '' ? key : `${path}.${key}`),
  );
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
