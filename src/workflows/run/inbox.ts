/** Messages from outside. Handlers only put them here and return an id; the main loop does the work, and the inbox rides along. */
import { uuid4 } from '@temporalio/workflow';
import { checkCancel, checkSay, checkStop } from '../../contract/guards.js';
import type { FailureType } from '../../contract/failure.js';
import { messages } from '../../contract/names.js';
import { jsonBytes, sizes } from '../../contract/size.js';
import { hasExternal } from '../../state/termination.js';
import { superseded } from './asking.js';
import { stopFromOutside } from './conditions.js';
import { isOpen, withdrawOne } from './request-list.js';
import type { AnyRun } from './run.js';

/** How many ids of messages a run remembers. */
const remembered = 1000;

const noExternal = 'This run has no condition "external" in its termination. Cancel it instead.';

export interface Refusal {
  type: FailureType;
  reason: string;
}

/** Why a message is not accepted, if so. Changes nothing: update validators call it. */
export function refusalOfSay(run: AnyRun, input: unknown): Refusal | undefined {
  const checked = checkSay(input);
  if ('problem' in checked) return { type: 'Input.Invalid', reason: checked.problem };
  if (!run.pattern.conversational) {
    return { type: 'Run.NotConversational', reason: `A ${run.state.pattern} run takes no new messages. Start a session instead.` };
  }
  if (checked.value.id !== undefined && run.state.said.some(({ id }) => id === checked.value.id)) return undefined;
  if (run.phase === 'closed' || run.state.stop) return { type: 'Run.Closed', reason: 'This run is ending and takes no more messages.' };
  if (run.state.options.whilePending === 'reject' && run.state.requests.some(isOpen)) {
    return { type: 'Request.Pending', reason: `A person has to answer first (${openIds(run)}); then say it again.` };
  }
  if (jsonBytes(run.state.inbox) + jsonBytes(checked.value) > sizes.inbox) {
    return { type: 'Run.Busy', reason: `${run.state.inbox.length} messages wait already. Try again when they are answered.` };
  }
  return undefined;
}

/** Accepts a message that was not refused. The same id again is the same turn. */
export function accept(run: AnyRun, input: unknown, defaultId?: string): { turnId: string } {
  const checked = checkSay(input);
  const { message, id = defaultId ?? uuid4() } = 'value' in checked ? checked.value : never();
  if (!run.state.said.some((said) => said.id === id)) {
    run.state.said.push({ id, status: 'queued' });
    run.state.inbox.push({ id, message });
    if (run.state.options.whilePending === 'supersede') supersede(run);
    forgetOldest(run);
  }
  return { turnId: id };
}

/** Nobody has to answer any more what was asked before. */
function supersede(run: AnyRun): void {
  const open = run.state.requests.filter(isOpen);
  for (const asked of open) withdrawOne(run, asked, superseded);
  const within = new Set(open.map(({ operation }) => operation));
  for (const operation of run.state.operations) if (within.has(operation.id)) operation.superseded = true;
}

function openIds(run: AnyRun): string {
  const open = run.state.requests.filter(isOpen).map(({ requestId }) => requestId);
  return `${open.slice(0, 5).join(', ')}${open.length > 5 ? ' …' : ''}`;
}

/** Idempotent: repeated or late, it only tells the status. */
export function requestCancel(run: AnyRun, input: unknown): { status: string } {
  const checked = checkCancel(input);
  const { mode = 'graceful', reason } = 'value' in checked ? checked.value : never();
  if (run.phase === 'closed') return { status: run.result?.status ?? 'failed' };
  if (!run.state.cancel || (mode === 'immediate' && run.state.cancel.mode !== mode)) {
    run.state.cancel = { mode, ...(reason && { reason }) };
    run.outbox.emit('cancel.requested', { mode, ...(reason && { reason }) });
    run.stop('cancelled', 'cancelled', reason ?? 'Somebody asked for it.');
    if (mode === 'immediate') run.scope.cancel();
  }
  return { status: 'cancelling' };
}

/** Why a run cannot be asked to come to its end, if so. */
export function refusalOfStop(run: AnyRun, input: unknown): Refusal | undefined {
  const checked = checkStop(input);
  if ('problem' in checked) return { type: 'Input.Invalid', reason: checked.problem };
  // Before the team is loaded nobody knows: a stop that comes so early is kept, and looked at then.
  const { termination, sleeper } = run.state;
  if (!isLoaded(run) || sleeper?.hasExternal || (termination && hasExternal(termination))) return undefined;
  return { type: 'Input.Invalid', reason: noExternal };
}

/** Idempotent: a run that ends already only tells the status. */
export function acceptStop(run: AnyRun, input: unknown): { status: string } {
  const checked = checkStop(input);
  const { reason } = 'value' in checked ? checked.value : never();
  if (run.phase === 'closed') return { status: run.result?.status ?? 'failed' };
  if (!isLoaded(run)) {
    run.earlyStop ??= { ...(reason !== undefined && { reason }) };
    return { status: 'starting' };
  }
  const { sleeper } = run.state;
  if (sleeper) sleeper.stop ??= { ...(reason !== undefined && { reason }) };
  else stopFromOutside(run, reason);
  return { status: run.state.stop ? 'stopping' : 'running' };
}

/** A stop that came before the team was loaded. */
export function takeEarlyStop(run: AnyRun): void {
  const { earlyStop } = run;
  if (!earlyStop) return;
  if (refusalOfStop(run, earlyStop)) run.outbox.emit('input.refused', { handler: messages.stop, reason: noExternal });
  else stopFromOutside(run, earlyStop.reason);
}

function isLoaded({ state }: AnyRun): boolean {
  return state.team.id !== '';
}

/** What still waits is never forgotten. */
function forgetOldest(run: AnyRun): void {
  const { said } = run.state;
  const oldest = said.findIndex(({ status }) => status === 'completed' || status === 'failed');
  if (said.length <= remembered || oldest < 0) return;
  said.splice(oldest, 1);
  run.state.forgotten = true;
}

function never(): never {
  throw new Error('An input that was refused reached its handler.');
}
