/** What time does to a request that waits: reminders, and when it is over, what was chosen for that. */
import { problemsOfJson } from '../../contract/check-json.js';
import { fail } from '../../contract/failure.js';
import type { Json } from '../../contract/json.js';
import { answerInstead, assigneesOf, escalationOf, reminderAfter, stageOf, type Patience } from '../../contract/patience.js';
import { show } from '../../contract/problems.js';
import { spanMs } from '../../contract/span.js';
import type { RequestState } from '../../state/run-state.js';
import { now } from './clock.js';
import { recordMark } from './audit.js';
import { change, settle } from './request-list.js';
import type { AnyRun } from './run.js';

/** For whom it is, and when there is something to do about it, by somebody who is asked at this time. */
export function addressed(patience: Patience, at: number): Pick<RequestState, 'assignee' | 'role' | 'expiresAt' | 'remindAt'> {
  const { role } = patience;
  const assignee = assigneesOf(patience);
  const timeoutMs = spanMs(patience.timeout) ?? Infinity;
  const remindMs = reminderAfter(patience, 0) ?? Infinity;
  return {
    ...(assignee && { assignee }),
    ...(typeof role === 'string' && { role }),
    ...(timeoutMs < Infinity && { expiresAt: timeText(at + timeoutMs) }),
    ...(remindMs < timeoutMs && { remindAt: timeText(at + remindMs) }),
  };
}

/** In milliseconds of the run's clock. */
export function dueAt({ expiresAt, remindAt }: Pick<RequestState, 'expiresAt' | 'remindAt'>): number {
  return Math.min(timeOf(expiresAt), timeOf(remindAt));
}

/**
 * Its time has come.
 *
 * @throws `Request.Expired` when the answer that was to count instead is none
 */
export function passTime(run: AnyRun, asked: RequestState, patience: Patience): void {
  const stage = stageOf(patience, asked.stage?.escalations ?? 0);
  if (timeOf(asked.expiresAt) > now()) return remind(run, asked, stage);
  const next = escalationOf(stage);
  if (next) return escalate(run, asked, next);
  expire(run, asked, stage);
}

/** Once, however many were due while there was nobody to tell. */
function remind(run: AnyRun, asked: RequestState, stage: Patience): void {
  const { escalations, reminded } = asked.stage ?? { escalations: 0, reminded: 0 };
  const since = timeOf(asked.remindAt) - (reminderAfter(stage, reminded) ?? 0);
  let next = reminded + 1;
  while (since + (reminderAfter(stage, next) ?? Infinity) <= now()) next += 1;
  const remindAt = since + (reminderAfter(stage, next) ?? Infinity);
  const reminders = (asked.reminders ?? 0) + 1;
  delete asked.remindAt;
  change(run, asked, {
    reminders,
    stage: { escalations, reminded: next },
    ...(remindAt < timeOf(asked.expiresAt) && { remindAt: timeText(remindAt) }),
  });
  recordMark(run, asked, 'reminded');
  run.outbox.emit('request.reminded', { requestId: asked.requestId, times: reminders });
}

/** The same question, to somebody else. */
function escalate(run: AnyRun, asked: RequestState, next: Patience): void {
  const { requestId, assignee, role, escalatedFrom = [] } = asked;
  const escalations = (asked.stage?.escalations ?? 0) + 1;
  for (const member of ['assignee', 'role', 'expiresAt', 'remindAt'] as const) delete asked[member];
  change(run, asked, {
    ...addressed(next, now()),
    stage: { escalations, reminded: 0 },
    escalatedFrom: [...escalatedFrom, ...(assignee ?? (role === undefined ? [] : [role]))],
  });
  recordMark(run, asked, 'escalated');
  run.outbox.emit('request.escalated', {
    requestId,
    times: escalations,
    ...(asked.assignee && { assignee: asked.assignee }),
    ...(asked.role !== undefined && { role: asked.role }),
    ...(asked.expiresAt !== undefined && { expiresAt: asked.expiresAt }),
  });
}

function expire(run: AnyRun, asked: RequestState, stage: Patience): void {
  const { requestId, schema } = asked;
  const given = answerInstead(stage);
  const [problem] = given && schema ? problemsOfJson(given.answer, schema) : [];
  const instead: { response?: Json } = given && !problem ? { response: given.answer } : {};
  run.outbox.emit('request.expired', { requestId, ...instead });
  settle(run, asked, { status: 'expired', ...instead });
  if (!problem) return;
  const why = `${problem.path} ${problem.message}`.trim();
  throw fail(
    'Request.Expired',
    `Nobody answered the request ${show(requestId)} in time, and the answer for that case does not fit: ${why}.`,
    {
      final: true,
    },
  );
}

function timeOf(time: string | undefined): number {
  return time === undefined ? Infinity : Date.parse(time);
}

/** What nobody has checked may be later than there are dates. */
function timeText(ms: number): string {
  return new Date(Math.min(ms, lastDate)).toISOString();
}

const lastDate = Date.parse('9999-12-31T00:00:00Z');
