/** What a run remembers of those that it has started: how they are told to end, and forgotten. */
import { messages } from '../../contract/names.js';
import type { CancelMode } from '../../contract/run.js';
import type { Operation } from '../../state/nested-state.js';
import type { OpenTurn } from '../../state/run-state.js';
import { post, sendPost } from './post.js';
import { withdraw, withdrawOf } from './request-list.js';
import type { AnyRun } from './run.js';

/** This run is about to end, and the other one does not know. */
export function mustTell(run: AnyRun, { toldToStop }: Operation): CancelMode | undefined {
  if (!run.isStopped && !run.state.cancel) return undefined;
  const mode = run.state.cancel?.mode ?? 'graceful';
  return toldToStop === mode || toldToStop === 'immediate' ? undefined : mode;
}

export function tellToStop(run: AnyRun, operation: Operation, mode: CancelMode | undefined): void {
  if (!mode) return;
  operation.toldToStop = mode;
  const reason = run.state.stop?.message ?? 'The turn was broken off.';
  post(run, operation.runId, messages.cancel, { mode, reason: reason.slice(0, 1000) });
}

/** The turn is broken off: what it has started is ended. */
export async function abandonAll(run: AnyRun, turn: OpenTurn): Promise<void> {
  const { operation, round } = turn;
  withdrawOf(run, turn, 'the turn that asked has ended');
  const ids = [operation, ...Object.values(round?.operations ?? {})];
  for (const open of run.state.operations.filter(({ id }) => ids.includes(id))) await abandon(run, open);
}

/** Ends the other run, whose result nobody waits for any more. */
export async function abandon(run: AnyRun, operation: Operation): Promise<void> {
  tellToStop(run, operation, 'immediate');
  forget(run, operation);
  await sendPost(run);
}

export function forget(run: AnyRun, operation: Operation): void {
  run.state.operations = run.state.operations.filter((open) => open !== operation);
  withdraw(run, operation.id);
}
