/** The record of requests: each that is settled joins it, and a boundary takes what has gathered to the store. */
import { ActivityFailure } from '@temporalio/workflow';
import type { AuditMark } from '../../contract/audit.js';
import { noAudit, withEntry, withPart } from '../../state/audit.js';
import type { RequestState } from '../../state/run-state.js';
import { writeAudit, writeLastAudit, stepFailure } from './activities.js';
import type { AnyRun } from './run.js';

/** So many gather, or so many characters, before they are written. */
const mostEntries = 50;
const mostSize = 64 * 1024;
/** Of what happens to a request before it is settled. */
const mostMarks = 50;

/** It waits no more. `asked` is what it was asked, in full, with what became of it. */
export function record({ state }: AnyRun, asked: RequestState): void {
  if (!state.settings.audit) return;
  state.audit = withEntry(state.audit ?? noAudit, asked, new Date().toISOString(), state.branch);
}

/** It still waits, and somebody was reminded, or it was passed on to somebody. */
export function recordMark({ state }: AnyRun, asked: RequestState, what: AuditMark['what']): void {
  if (!state.settings.audit) return;
  const { assignee, role } = asked;
  const whom = what === 'escalated' ? { ...(assignee && { assignee }), ...(role !== undefined && { role }) } : {};
  asked.trail = [...(asked.trail ?? []), { at: new Date().toISOString(), what, ...whom }].slice(-mostMarks);
}

/** Enough has gathered. */
export function isAuditDue({ state }: AnyRun): boolean {
  const { fresh, size } = state.audit ?? noAudit;
  return fresh.length >= mostEntries || (fresh.length > 0 && size > mostSize);
}

/** One does it for all that come here at the same time. */
export async function takeDown(run: AnyRun): Promise<void> {
  const inScope = async () => {
    await write(run, writeAudit()).catch((error: unknown) => {
      throw stepFailure(error, 'Store.Unavailable', 'Writing the record of requests');
    });
  };
  await (run.takingDown ??= run.scope.run(inScope).finally(() => delete run.takingDown));
}

/** The run ends, and does not wait for the store any longer than this: then what is left of the record is in its last snapshot. */
export async function takeDownLast(run: AnyRun): Promise<void> {
  try {
    await write(run, writeLastAudit());
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
  }
}

async function write(run: AnyRun, activity: ReturnType<typeof writeAudit>): Promise<void> {
  for (let { audit } = run.state; audit && isAuditDue(run); { audit } = run.state) {
    const { last: previous, count, fresh } = audit;
    const entries = fresh.slice(0, mostEntries);
    const { id } = await run.outbox.alongLocally((base) => activity({ ...base, previous, count: count + entries.length, entries }));
    run.state.audit = withPart(run.state.audit ?? audit, id, entries.length);
  }
}
