/** Takes away what is left of a session or a run: executions at Temporal, snapshots, event logs. Its texts go by collecting. */
import type { Deletion, DeletionProof } from '../contract/deletion.js';
import type { EventLogKey } from '../contract/event.js';
import type { SnapshotRecord } from '../contract/snapshot.js';
import type { ClientContext } from '../client/context.js';
import { mark } from './collect.js';
import { deleteExecution, executionsOf, isThere, type FoundExecution } from './executions.js';
import { referencesOf } from './run-references.js';

/** What belongs to a deletion, and nothing else: a new run under the same workflow id has other run ids. */
export interface Remains {
  /** Chains of executions, nested runs included; each has a log of its own. */
  chains: EventLogKey[];
  executions: FoundExecution[];
  snapshots: SnapshotRecord[];
}

export async function remainsOf(context: ClientContext, deletion: Deletion): Promise<Remains> {
  const { workflowId } = deletion;
  const own = await executionsOf(context, workflowId);
  const chains = await chainsOf(context, deletion, own);
  const isOurs = new Set(chains.map(nameOf));
  const within = [...new Set(chains.map((chain) => chain.workflowId))].filter((id) => id !== workflowId);
  const executions = [...own];
  for (const id of within) executions.push(...(await executionsOf(context, id)));
  const snapshots: SnapshotRecord[] = [];
  for (const id of [workflowId, ...within]) snapshots.push(...(await context.store.snapshots.list(id, { limit: mostSnapshots })));
  return {
    chains,
    executions: executions.filter((execution) => isOurs.has(nameOf(execution))),
    snapshots: snapshots.filter((snapshot) => isOurs.has(nameOf(snapshot))),
  };
}

const mostSnapshots = 10_000;

/** Logs tell what belongs together: chains that one session has slept between, and runs within runs. */
async function chainsOf({ store }: ClientContext, deletion: Deletion, own: FoundExecution[]): Promise<EventLogKey[]> {
  const { workflowId, conversationId, firstRunId, before } = deletion;
  const open: EventLogKey[] = [];
  if (conversationId !== undefined) {
    open.push(...[conversationId, firstRunId ?? conversationId].map((id) => ({ workflowId, firstRunId: id })));
  } else {
    const isLater = (execution: FoundExecution) => (before === undefined ? execution.isOpen : execution.startedMs > Date.parse(before));
    const later = new Set(own.filter(isLater).map((execution) => execution.firstRunId));
    const known = [
      ...own,
      ...(await store.events.logs({ workflowId })),
      ...(await store.snapshots.list(workflowId, { limit: mostSnapshots })),
    ];
    open.push(...known.filter((chain) => !later.has(chain.firstRunId)));
  }
  const found = new Map<string, EventLogKey>();
  for (let chain = open.pop(); chain; chain = open.pop()) {
    if (found.has(nameOf(chain))) continue;
    found.set(nameOf(chain), { workflowId: chain.workflowId, firstRunId: chain.firstRunId });
    open.push(...(await store.events.logs({ owner: { workflowId: chain.workflowId, firstRunId: chain.firstRunId } })));
  }
  return [...found.values()];
}

/** Texts that it refers to, as far as it can still tell, and the bytes that they have. */
export async function textsOf(
  context: ClientContext,
  { executions, snapshots }: Remains,
  beat: () => void,
): Promise<{ texts: string[]; bytes: number }> {
  const { blobs } = context.store;
  const marked = new Set<string>();
  const roots = snapshots.map(({ id }) => id);
  for (const { workflowId, runId } of executions) {
    const told = await referencesOf(context, { workflowId, runId, status: { code: 0, name: 'COMPLETED' }, closeTime: new Date() }).catch(
      () => undefined,
    );
    roots.push(...(told?.references ?? []));
  }
  // One that is damaged refers to nothing that anybody could find.
  await mark(context, marked, roots, beat);
  const texts: string[] = [];
  let bytes = 0;
  for (const id of marked) {
    const text = await blobs.get(id).catch(() => '');
    if (text === undefined) continue;
    texts.push(id);
    bytes += Buffer.byteLength(text);
  }
  return { texts, bytes };
}

/** Nothing of it may be open. Temporal deletes in its own time. Safe to repeat: what is gone is gone, and logs, which tell what there is, go last. Returns how many events there were. */
export async function remove(context: ClientContext, { chains, executions, snapshots }: Remains, beat: () => void): Promise<number> {
  const { store } = context;
  for (const execution of executions) {
    beat();
    await deleteExecution(context, execution);
  }
  await store.snapshots.remove(snapshots.map(({ id }) => id));
  let events = 0;
  // Runs within first: they are found by the log of the run around them.
  for (const chain of [...chains].reverse()) {
    beat();
    events += await store.events.remove(chain);
  }
  return events;
}

/** Looks for it again: for all that there was, and for what has come since. */
export async function proofOf(context: ClientContext, deletion: Deletion, atMs: number): Promise<DeletionProof & { bytes: number }> {
  const { blobs, events: log } = context.store;
  const now = await remainsOf(context, deletion);
  let executions = 0;
  for (const execution of deletion.executions ?? []) if (await isThere(context, execution)) executions += 1;
  let [events, texts, bytes] = [0, 0, 0];
  for (const chain of deletion.chains ?? []) events += await log.end(chain);
  for (const id of deletion.texts ?? []) {
    const text = await blobs.get(id).catch(() => '');
    if (text === undefined) continue;
    texts += 1;
    bytes += Buffer.byteLength(text);
  }
  const at = new Date(atMs).toISOString();
  return { at, executions: Math.max(executions, now.executions.length), snapshots: now.snapshots.length, events, texts, bytes };
}

function nameOf({ workflowId, firstRunId }: EventLogKey): string {
  return `${firstRunId} ${workflowId}`;
}
