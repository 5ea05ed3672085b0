/** How a run waits for something from outside: in the end, on a deadline, or when it has to continue as new. */
import { condition } from '@temporalio/workflow';
import type { OpenTurn } from '../../state/run-state.js';
import { Alarm } from './alarm.js';
import { now } from './clock.js';
import { continueIfDue } from './boundary.js';
import { ParentWatch } from './parent.js';
import { sendPost } from './post.js';
import type { AnyRun } from './run.js';
import { showWaitingFor } from './visibility.js';

export interface Wait {
  /** Whose turn waits; absent: the pattern itself. */
  turn?: OpenTurn;
  /** In milliseconds of the run's clock. */
  deadline?: number;
  /** Goes on waiting while the run is about to end: what is waited for ends by itself. */
  throughStop?: boolean;
  /** The deadline is remembered nowhere: the run stays awake for it. */
  isWakeful?: boolean;
}

/** `false` when the deadline came first. */
export async function until(run: AnyRun, isTrue: () => boolean, wait: Wait = {}): Promise<boolean> {
  const place = wait.turn ? 0 : 1;
  const alarm = new Alarm();
  run.traffic.waiting += place;
  if (!wait.isWakeful) run.quiet.begin();
  try {
    return await waitFor(run, isTrue, wait, alarm);
  } finally {
    alarm.clear();
    if (!wait.isWakeful) run.quiet.end();
    run.traffic.waiting -= place;
  }
}

async function waitFor(run: AnyRun, isTrue: () => boolean, { deadline, throughStop = false }: Wait, alarm: Alarm): Promise<boolean> {
  const { traffic } = run;
  const isOver = () => isTrue() || (!throughStop && run.isStopped);
  const above = new ParentWatch(run);
  for (;;) {
    if (!throughStop) run.throwIfStopped();
    if (isTrue()) return true;
    if (deadline !== undefined && deadline <= now()) return false;
    const { heard } = traffic;
    await sendPost(run);
    await above.look();
    if (isOver()) continue;
    showWaitingFor(run);
    // First this: whoever is told of a request may answer before the task that opened it is done, and then it must not be done again.
    await continueIfDue(run, true);
    await run.outbox.flush();
    if (isOver()) continue;
    // Not the length of the history, which a replay may find shorter once events are told: what makes it longer is heard of.
    const isNews = () =>
      run.outbox.isWaiting || run.state.post.length > 0 || traffic.parked > 0 || run.quiet.isLong || traffic.heard > heard;
    alarm.set(Math.min(deadline ?? Infinity, above.at));
    await condition(() => isOver() || alarm.rings || isNews());
  }
}
