/** A step boundary: here limits hold, old entries are sealed, and the run may continue as new, in the middle of a turn too. */
import { allHandlersFinished, condition, sleep } from '@temporalio/workflow';
import { jsonBytes, sizes } from '../../contract/size.js';
import type { OpenTurn } from '../../state/run-state.js';
import { sealSegment, stepFailure } from './activities.js';
import { isAuditDue, takeDown } from './audit.js';
import { pendingCommands } from './commands.js';
import { isContinuationDue, leave } from './leave.js';
import { sendPost } from './post.js';
import type { AnyRun } from './run.js';
import { fallAsleep } from './sleeper.js';
import { inBranch } from './steps.js';
import { carryOut, isSnapshotDue, save, type OtherState } from './snapshots.js';
import { showWaitingFor } from './visibility.js';

/** Called before each model call with its turn, and between turns without. */
export async function boundary(run: AnyRun, turn?: OpenTurn): Promise<void> {
  holdTokens(run);
  showWaitingFor(run);
  if (run.transcript.tailBytes > sizes.segment) await seal(run);
  if (!turn && isSnapshotDue(run)) await save(run, 'turn', { key: inBranch(`turn/${run.state.lastTurn}`, run.state.branch) });
  await continueIfDue(run, turn !== undefined);
}

/** Before each model call. */
export function holdTokens(run: AnyRun): void {
  const { limits, usage } = run.state;
  if (limits.tokens === undefined || usage.totalTokens < limits.tokens) return;
  run.stop('stopped', 'limit.tokens', `The limit of ${limits.tokens} tokens was reached: ${usage.totalTokens} were used.`);
  run.throwIfStopped();
}

/**
 * Continues as new when the history has grown long, and does what the run was asked to do with its own state. `isCounted`: whoever
 * comes here is part of the traffic already.
 */
export async function continueIfDue(run: AnyRun, isCounted: boolean): Promise<void> {
  if (isAuditDue(run)) await takeDown(run);
  if (run.traffic.parked === 0 && !run.quiet.isLong && pendingCommands(run).length === 0 && !isContinuationDue(run)) return;
  const place = isCounted ? 0 : 1;
  run.traffic.waiting += place;
  try {
    await park(run);
    // In the scope of the run: one turn that is broken off must not end what all wait for.
    await (run.meeting ??= run.scope.run(() => meet(run)));
  } finally {
    run.traffic.waiting -= place;
  }
}

/** Everybody meets here: only then nothing is half done. */
async function park(run: AnyRun): Promise<void> {
  const { traffic } = run;
  const isQuiet = () => run.meeting !== undefined || traffic.parked >= traffic.taking + traffic.waiting;
  traffic.parked += 1;
  try {
    // Until then nobody else may be there to send what others wait for.
    while (!isQuiet()) {
      await run.outbox.flush();
      await condition(() => isQuiet() || run.state.post.length > 0);
      await sendPost(run);
    }
  } catch (error) {
    traffic.parked -= 1;
    throw error;
  }
}

async function meet(run: AnyRun): Promise<void> {
  try {
    if (run.notices.isOn) await run.notices.rest();
    const before = await carryOut(run);
    if (before || isContinuationDue(run)) await continueAsNew(run, before);
    if (run.quiet.isLong) await fallAsleep(run);
    run.notices.resume();
  } finally {
    run.quiet.isLong = false;
    run.traffic.parked = 0;
    delete run.meeting;
  }
}

/** Two turns may come here at the same time: the second finds nothing left to do. */
async function seal(run: AnyRun): Promise<void> {
  const from = run.transcript.sealed;
  const segments = await run.outbox
    .along((base) =>
      sealSegment(`transcript: seal from ${from}`)({
        ...base,
        transcript: run.transcript.ref(),
        from,
        previous: run.transcript.lastSegment,
      }),
    )
    .catch((error: unknown) => {
      throw stepFailure(error, 'Store.Unavailable', 'Sealing the transcript');
    });
  if (run.transcript.sealed === from) run.transcript.seal(segments);
}

/** `other`: the state to go on with, where it is not the run's own, made of what that is at the last moment. */
export async function continueAsNew(run: AnyRun, other?: OtherState): Promise<never> {
  // Somebody who stopped here before may have begun to tell some.
  await run.outbox.sent();
  if (!other && run.transcript.tailBytes > sizes.carriedTail) await seal(run);
  if (isAuditDue(run)) await takeDown(run);
  // Events go along in the state: told now, they would be answered before what they tell of is certain.
  if (jsonBytes(run.state.outbox) > sizes.carriedTail) await run.outbox.flush();
  await condition(allHandlersFinished);
  // When a local activity is replayed, what follows from its result comes before the messages that were received while it ran. To
  // leave then would be to leave without them. A timer is an event: whatever came before it is here when it has fired.
  if (run.outbox.isAhead) await sleep(1, { summary: 'what was said meanwhile' });
  return await leave(other ? { ...other(run.state), outbox: run.state.outbox } : run.state);
}
