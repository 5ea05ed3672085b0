/** The one table of timeouts and retries, and what a failed activity means to a run. */
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  sleep,
  type ActivityOptions,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import type { CompactionDue } from '../../contract/compaction.js';
import { fail, failures, type FailureType } from '../../contract/failure.js';
import type { CallPolicy, StepTime, StepTimes } from '../../contract/step.js';

const backOff = { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' } as const;

/** Short and idempotent: tried until it works. A store that is down delays a run, never damages it. */
const housekeeping = { startToCloseTimeout: '20 seconds', retry: backOff } satisfies ActivityOptions;

export function loadTeam(summary: string) {
  return proxyActivities<Activities>({ ...housekeeping, summary }).loadTeam;
}

export function adoptConversation(summary: string) {
  return proxyActivities<Activities>({ ...housekeeping, summary }).adoptConversation;
}

export function adoptStates(summary: string) {
  return proxyActivities<Activities>({ ...housekeeping, summary }).adoptStates;
}

export function sealSegment(summary: string) {
  return proxyActivities<Activities>({ ...housekeeping, summary }).sealSegment;
}

export function storeTranscript(summary: string) {
  return proxyActivities<Activities>({ ...housekeeping, summary }).storeTranscript;
}

export function lookUpRun(summary: string) {
  return proxyActivities<Activities>({ ...housekeeping, summary, cancellationType: ActivityCancellationType.TRY_CANCEL }).lookUpRun;
}

/** Reads from the store. */
export function loadSnapshot(summary: string) {
  return proxyActivities<Activities>({ ...housekeeping, summary }).loadSnapshot;
}

/** Whoever waits has to know when it does not come to it: it is tried again by the run, which shows why. */
export function loadToWake(summary: string) {
  return proxyActivities<Activities>({ ...housekeeping, scheduleToCloseTimeout: '1 minute', summary }).loadSnapshot;
}

/** Other runs are asked, and these may be busy for as long as a step takes; whoever waits for this does nothing else meanwhile. */
export function saveMembers(summary: string) {
  return proxyActivities<Activities>({
    ...housekeeping,
    startToCloseTimeout: '5 minutes',
    scheduleToCloseTimeout: '10 minutes',
    heartbeatTimeout: '30 seconds',
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    summary,
  }).saveMembers;
}

/** Local: what goes in is a run's whole state, and must not be recorded with each snapshot. */
export function saveSnapshot() {
  return proxyLocalActivities<Activities>(housekeeping).saveSnapshot;
}

/** The same at the end of a run, which does not wait for it any longer than this. */
export function saveFinished() {
  return proxyLocalActivities<Activities>({ ...housekeeping, scheduleToCloseTimeout: '1 minute' }).saveSnapshot;
}

/** Local: whoever waits for it waits for milliseconds, and nothing of it has to be recorded. */
export function findMessage() {
  return proxyLocalActivities<Activities>(housekeeping).findMessage;
}

/** Local, as `saveSnapshot`: what people have said is recorded in the store, and not once more with it. */
export function writeAudit() {
  return proxyLocalActivities<Activities>(housekeeping).writeAudit;
}

/** The same at the end of a run, which does not wait for it any longer than this. */
export function writeLastAudit() {
  return proxyLocalActivities<Activities>({ ...housekeeping, scheduleToCloseTimeout: '1 minute' }).writeAudit;
}

/** One attempt, and a short one: the run says itself when it is tried again. */
export function notify(summary: string) {
  return proxyActivities<Activities>({
    startToCloseTimeout: '15 seconds',
    scheduleToCloseTimeout: '30 seconds',
    retry: { maximumAttempts: 1 },
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    summary,
  }).notify;
}

/** Local, as `saveSnapshot`: between it and the end nothing is to wait for a worker. */
export function scheduleDeletion() {
  return proxyLocalActivities<Activities>(housekeeping).scheduleDeletion;
}

/** Local, as `saveSnapshot` and `scheduleDeletion`, which it undoes. */
export function endSleep() {
  return proxyLocalActivities<Activities>(housekeeping).endSleep;
}

/** Marks all that is referenced: a store of years takes its time. Whoever is lost is missed by its heartbeats. */
export function tidyUp() {
  const { tidyUp: round } = proxyActivities<Activities>({ startToCloseTimeout: '6 hours', heartbeatTimeout: '1 minute', retry: backOff });
  return round;
}

export function storeOutput(summary: string) {
  return proxyActivities<Activities>({ ...housekeeping, summary }).storeOutput;
}

export function askModel(time: StepTime, options: { summary: string; taskQueue?: string }) {
  return untilKeyIsThere(proxyActivities<Activities>({ ...stepOptions(time), ...options }).askModel);
}

export function callFunction(time: StepTime, summary: string) {
  return untilKeyIsThere(proxyActivities<Activities>({ ...stepOptions(time), summary }).callFunction);
}

export function callModel(time: StepTime, options: { summary: string; taskQueue?: string }) {
  return untilKeyIsThere(proxyActivities<Activities>({ ...stepOptions(time), ...options }).callModel);
}

/** Without it the oldest is left out: there is no need to try for long. */
export function compact(by: CompactionDue['by'], { model, tool }: StepTimes, options: { summary: string; taskQueue?: string }) {
  const time = by === 'summary' ? model : tool;
  return untilKeyIsThere(
    proxyActivities<Activities>({ ...stepOptions({ ...time, attempts: Math.min(time.attempts, 3) }), ...options }).compact,
  );
}

export function callTool(time: StepTime, policy: CallPolicy, summary: string) {
  const attemptMs = policy.timeoutMs ?? time.attemptMs;
  const total = Math.max(time.totalMs, attemptMs);
  const options = stepOptions({ ...time, attemptMs, totalMs: total, attempts: policy.attempts ?? time.attempts });
  return untilKeyIsThere(proxyActivities<Activities>({ ...options, summary }).callTool);
}

/** A courtesy to watchers: bounded, and its failure is nobody's. */
export function publish() {
  return proxyLocalActivities<Activities>({
    startToCloseTimeout: '5 seconds',
    scheduleToCloseTimeout: '15 seconds',
    retry: { maximumAttempts: 2 },
  }).publish;
}

function stepOptions(time: StepTime): ActivityOptions {
  return {
    startToCloseTimeout: time.attemptMs,
    scheduleToCloseTimeout: time.totalMs,
    heartbeatTimeout: time.heartbeatMs,
    retry: { ...backOff, maximumAttempts: time.attempts, nonRetryableErrorTypes: [keyMissing] },
    // With the SDK's default a cancelled run would wait for the next throttled heartbeat.
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  };
}

const keyMissing: FailureType = 'Encryption.KeyMissing';

/** A worker without the key gives a step back before it has begun. That is no attempt: the next may be another worker's. */
function untilKeyIsThere<Input, Output>(step: (input: Input) => Promise<Output>): (input: Input) => Promise<Output> {
  const go = (input: Input, pauseMs: number): Promise<Output> =>
    step(input).catch(async (error: unknown) => {
      if (!(error instanceof ActivityFailure && error.cause instanceof ApplicationFailure && error.cause.type === keyMissing)) throw error;
      await sleep(pauseMs, { summary: 'until a worker has the key' });
      return await go(input, Math.min(2 * pauseMs, longestPauseMs));
    });
  return (input) => go(input, firstPauseMs);
}

const firstPauseMs = 2000;
/** However long it takes, it makes no long history. */
const longestPauseMs = 10 * 60_000;

/**
 * What an activity's error means to the run: final kinds stay what they are; one that was tried until attempts or time ran out
 * becomes `exhausted`. Cancellation passes through.
 */
export function stepFailure(error: unknown, exhausted: FailureType, what: string): unknown {
  if (isCancellation(error) || !(error instanceof ActivityFailure)) return error;
  const cause = error.cause;
  if (cause instanceof ApplicationFailure) {
    const type = cause.type ?? '';
    const details = cause.details ?? undefined;
    if (cause.nonRetryable && type in failures) return fail(type as FailureType, cause.message, { final: true, details, cause });
    return fail(exhausted, `${what} failed for good. Last: ${cause.message}`, { final: true, details, cause });
  }
  return fail(exhausted, `${what} failed for good: ${cause?.message ?? error.message}`, { final: true, cause });
}
