/** What nothing refers to any more is deleted from the store; what anything refers to never is. */
import { fail } from '../contract/failure.js';
import type { Span } from '../contract/json.js';
import type { Swept } from '../store/store.js';
import { mentionsIn } from '../store/references.js';
import type { ClientContext } from '../client/context.js';
import { referencesOfRuns } from './run-references.js';
import { milliseconds } from '../client/span.js';
import { withoutPast } from './without-past.js';

export interface CollectOptions {
  /** What nothing refers to is kept for so long after that was first seen, an hour at least. @default '1 day' */
  grace?: Span;
}

/** What there was, and what became of it. */
export interface Collected extends Swept {
  /** Runs that Temporal knows, open or not: all that they refer to stays. */
  runs: number;
  /** Snapshots on the list. */
  snapshots: number;
}

/** A step in flight may have written what no state refers to yet. */
const shortestMs = 3600 * 1000;
/** So many blobs are read at once. */
const readAtOnce = 8;

/**
 * Marks all that can be reached from snapshots on the list and from runs that Temporal knows, then sweeps.
 *
 * @throws `Input.Invalid` · whatever keeps a run from telling what it refers to, or the store from being read; then nothing was deleted
 */
export async function collect(
  context: ClientContext,
  { grace = '1 day', anyGrace = false }: CollectOptions & { anyGrace?: boolean } = {},
): Promise<Collected> {
  const graceMs = milliseconds(grace);
  if (graceMs < shortestMs && !anyGrace) {
    throw fail(
      'Input.Invalid',
      `A grace of "${grace}" is too short: steps in flight may need what no state refers to yet. Give an hour or more.`,
    );
  }
  const { busy: _, ...collected } = await markAndSweep(context, { graceMs });
  return collected;
}

/**
 * @param options.quietGraceMs what holds instead when no run is at work
 * @returns `busy`: runs that are at work
 */
export async function markAndSweep(
  context: ClientContext,
  { graceMs, quietGraceMs = graceMs, beat }: { graceMs: number; quietGraceMs?: number; beat?: () => void },
): Promise<Collected & { busy: number }> {
  const { store } = context;
  const marked = new Set<string>();
  const snapshots = await markSnapshots(context, marked, beat);
  let [runs, busy] = [0, 0];
  for await (const { references, isAtWork } of referencesOfRuns(context)) {
    runs += 1;
    if (isAtWork) busy += 1;
    await mark(context, marked, references, beat);
  }
  const swept = await store.blobs.collect((id) => marked.has(id), busy === 0 ? quietGraceMs : graceMs);
  return { ...swept, runs, snapshots, busy };
}

async function markSnapshots(context: ClientContext, marked: Set<string>, beat?: () => void): Promise<number> {
  const { snapshots } = context.store;
  let count = 0;
  for (let page = await snapshots.all(); page.length > 0; page = await snapshots.all(page.at(-1)!.id)) {
    count += page.length;
    await mark(
      context,
      marked,
      page.map(({ id }) => id),
      beat,
    );
  }
  return count;
}

/** Each blob is read once. Ids of what is in no store are marked as well, to no effect. */
export async function mark(
  { store }: Pick<ClientContext, 'store'>,
  marked: Set<string>,
  references: readonly string[],
  beat?: () => void,
): Promise<void> {
  const open = [...references];
  while (open.length > 0) {
    const fresh = new Set<string>();
    while (open.length > 0 && fresh.size < readAtOnce) {
      const id = open.pop()!;
      if (!marked.has(id)) fresh.add(id);
    }
    beat?.();
    for (const id of fresh) marked.add(id);
    const found = await Promise.all([...fresh].map(async (id) => referencesOf(await store.blobs.get(id))));
    for (const id of found.flat()) if (!marked.has(id)) open.push(id);
  }
}

/** A blob is a document of ours, of somebody else, or no JSON at all. */
function referencesOf(text = ''): string[] {
  let document: unknown = text;
  try {
    document = JSON.parse(text);
  } catch {
    // The whole of a tool's result, for example.
  }
  return mentionsIn(withoutPast(document));
}
