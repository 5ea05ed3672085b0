/** Who was asked what, and who answered what: from the store, from the run, and of what still waits. */
import { auditPartType, type AuditEntry, type AuditPage, type AuditPart } from '../contract/audit.js';
import { fail } from '../contract/failure.js';
import { isSnapshotId } from '../contract/guards.js';
import { queries } from '../contract/names.js';
import type { RequestView } from '../contract/request.js';
import type { RunStatus } from '../contract/run.js';
import { auditEntryShape, entryOf } from '../state/audit.js';
import type { RunState } from '../state/run-state.js';
import { problemsOf, type Shape } from '../state/shape.js';
import { auditOf } from '../state/views.js';
import type { BlobStore } from '../store/store.js';
import { wholeRequests } from './asleep.js';
import type { ClientContext } from './context.js';
import { readStoredSnapshot } from './snapshots.js';
import type { WorkflowCalls } from './workflow-calls.js';

/** Ends with what waits; before that in the order in which it was settled. */
export async function readAudit(context: ClientContext, calls: WorkflowCalls): Promise<AuditEntry[]> {
  const status = await calls.query<RunStatus>(queries.status);
  const page = await auditIn(context, calls, status);
  const requests = await wholeRequests(context, status, await calls.query<RequestView[]>(queries.requests));
  return joined([...(await readParts(context.store.blobs, page)), ...page.fresh], requests);
}

/** A run that sleeps has left the newest of it in its snapshot. */
async function auditIn(context: ClientContext, calls: WorkflowCalls, { asleep }: RunStatus): Promise<AuditPage> {
  if (!asleep) return await calls.query<AuditPage>(queries.audit);
  return auditOf((await readStoredSnapshot(context, asleep.snapshotId, { isAlive: true })).state as RunState);
}

/** What was settled twice, such as an answer that came too late after all, is told as it was settled last. */
function joined(recorded: readonly AuditEntry[], requests: readonly RequestView[]): AuditEntry[] {
  const entries = new Map<string, AuditEntry>();
  for (const entry of recorded) entries.set(`${entry.requestId} ${entry.askedAt} ${entry.branch ?? 0}`, entry);
  const known = new Set(recorded.map(({ requestId, askedAt }) => `${requestId} ${askedAt}`));
  // Settled while the run slept, or in a run of an earlier release, which keeps no record.
  const others = requests.filter(({ requestId, createdAt, status }) => status !== 'pending' && !known.has(`${requestId} ${createdAt}`));
  const open = requests.filter(({ status }) => status === 'pending');
  return [...entries.values(), ...[...others, ...open].map((view) => entryOf(view))];
}

/**
 * Oldest first.
 *
 * @throws `State.Unreadable` when a part is lost or damaged
 */
async function readParts(blobs: Pick<BlobStore, 'get'>, { last, count }: Pick<AuditPage, 'last' | 'count'>): Promise<AuditEntry[]> {
  const parts: AuditEntry[][] = [];
  for (let [id, end] = [last, count]; id !== null;) {
    const part = partIn(id, isSnapshotId(id) ? await blobs.get(id) : undefined);
    if (part.count !== end || part.entries.length === 0 || (part.previous === null) !== (part.count === part.entries.length))
      throw unreadable(id, 'it does not follow from the part before it');
    parts.push(part.entries);
    [id, end] = [part.previous, end - part.entries.length];
  }
  return parts.reverse().flat();
}

function partIn(id: string, text: string | undefined): AuditPart {
  if (text === undefined) throw unreadable(id, 'the store has not got it');
  let part: unknown;
  try {
    part = JSON.parse(text);
  } catch {
    throw unreadable(id, 'it is not JSON');
  }
  const [problem] = problemsOfPart(part);
  if (problem !== undefined) throw unreadable(id, problem);
  return part as AuditPart;
}

export function problemsOfPart(part: unknown, path = 'part'): string[] {
  const problems = problemsOf(part, partShape, path);
  return problems.length === 0 && (part as AuditPart).type !== auditPartType ? [`${path}.type: expected "${auditPartType}"`] : problems;
}

const partShape: Shape = {
  fields: { type: 'string', previous: { nullable: 'string' }, count: 'count', entries: { list: auditEntryShape } },
};

function unreadable(id: string, why: string) {
  return fail('State.Unreadable', `Part ${id} of the record of requests cannot be read: ${why}. It is left as it is.`);
}
