/** How a run waits for something from outside: in the end, on a deadline, or when it has to continue as new. */
import { condition } from '@temporalio/workflow';
import type { OpenTurn } from '../../state/run-state.js';
import { now } from './clock.js';
import { continueIfDue, isContinuationDue } from './boundary.js';
import { sendPost } from './post.js';
import type { AnyRun } from './run.js';

export interface Wait {
  /** Whose turn waits; absent: the pattern itself. */
  turn?: OpenTurn;
  /** In milliseconds of the run's clock. */
  deadline?: number;
  /** Goes on waiting while the run is about to end: what is waited for ends by itself. */
  throughStop?: boolean;
}

/** `false` when the deadline came first. */
export async function until(run: AnyRun, isTrue: () => boolean, { turn, deadline, throughStop = false }: Wait = {}): Promise<boolean> {
  const isOver = () => isTrue() || (!throughStop && run.isStopped);
  const isNews = () => isOver() || run.outbox.isWaiting || run.state.post.length > 0 || isContinuationDue(run);
  for (;;) {
    if (!throughStop) run.throwIfStopped();
    if (isTrue()) return true;
    if (deadline !== undefined && deadline <= now()) return false;
    await sendPost(run);
    await run.outbox.flush();
    if (isOver()) continue;
    await continueIfDue(run, turn);
    if (deadline === undefined) await condition(isNews);
    else await condition(isNews, Math.max(deadline - now(), 1));
  }
}
