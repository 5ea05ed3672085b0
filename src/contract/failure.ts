/**
 * What can go wrong, by who must act. A model's mistake is data, a person's "no" is data, a limit is an outcome:
 * only the world and our bugs are failures. Identity is the string `type`, never `instanceof`.
 */
import { ApplicationFailure } from '@temporalio/common';
import type { Span } from './json.js';

interface FailureKind {
  meaning: string;
  /** May Temporal try the same step again? */
  retryable: boolean;
}

export const failures = {
  'Input.Invalid': { meaning: 'The input document is wrong; every problem is listed.', retryable: false },
  'Input.UnknownAgent': { meaning: 'A name that no worker here has registered.', retryable: false },
  'Input.TooLarge': { meaning: 'More than may travel in one piece.', retryable: false },
  'Run.NotFound': { meaning: 'No such run here.', retryable: false },
  'Run.RolledBack': { meaning: 'The run was put back to before this was said.', retryable: false },
  'Run.AlreadyExists': { meaning: 'A run with that id is open.', retryable: false },
  'Run.NotConversational': { meaning: 'Nobody in this run listens to new messages.', retryable: false },
  'Run.Closed': { meaning: 'The run has ended.', retryable: false },
  'Run.Open': { meaning: 'The run has to end before this can be done.', retryable: true },
  'Run.Busy': { meaning: 'Too many messages wait already.', retryable: false },
  'Run.OtherEnvironment': { meaning: 'The run belongs to another task queue.', retryable: false },
  'Run.TimedOut': { meaning: 'The time that the caller gave has passed; the run goes on.', retryable: false },
  'Run.Failed': { meaning: 'The run ended without a result: terminated or timed out from outside.', retryable: false },
  'Model.RateLimited': { meaning: 'The provider asked us to wait.', retryable: true },
  'Model.Unavailable': { meaning: 'The provider could not be reached, or failed, for as long as we tried.', retryable: true },
  'Model.Refused': {
    meaning: 'The provider refuses the request: bad request, credentials, content filter, unknown model.',
    retryable: false,
  },
  'Model.ContextLength': { meaning: 'The conversation is longer than the model can read.', retryable: false },
  'Model.Empty': { meaning: 'The model said nothing, twice.', retryable: false },
  'Model.Malformed': { meaning: 'The reply does not follow the protocol.', retryable: true },
  'Tool.Unavailable': { meaning: 'A tool could not be run.', retryable: true },
  'Function.Failed': { meaning: 'A registered function threw, or returned something that cannot be used.', retryable: false },
  'Manager.Failed': { meaning: 'Who decides for the team gave no usable answer, as often as it was asked.', retryable: false },
  'Route.Unmatched': { meaning: 'No route fits, and there is no default.', retryable: false },
  'Output.Invalid': { meaning: 'The output does not have the form that was asked for.', retryable: false },
  'Turn.TimedOut': { meaning: 'A member did not answer in the time it was given.', retryable: false },
  'Turn.Abandoned': { meaning: 'A turn was broken off because the others have decided the matter.', retryable: false },
  'Turn.Rejected': { meaning: 'A person rejected what an agent said.', retryable: false },
  'Run.NoQuorum': { meaning: 'Fewer members succeeded than were asked for.', retryable: false },
  'Nested.Failed': { meaning: 'A run that was a member of another ended without a result.', retryable: false },
  'Request.NotPending': { meaning: 'No such request waits for an answer: unknown, answered otherwise, or expired.', retryable: false },
  'Request.NotAssigned': { meaning: 'The request is for somebody else to answer; it still waits.', retryable: false },
  'Request.Pending': { meaning: 'A person has to answer first; new messages are not taken meanwhile.', retryable: false },
  'Request.Expired': { meaning: 'Nobody answered in time, and the run cannot go on without an answer.', retryable: false },
  'State.Mismatch': {
    meaning: 'A snapshot is of another run, pattern or team than it is to be loaded into; every difference is listed.',
    retryable: false,
  },
  'State.NotFound': { meaning: 'There is no such snapshot here.', retryable: false },
  'State.Unreadable': { meaning: 'Saved state is damaged or not ours; it is left as it is.', retryable: false },
  'State.Newer': { meaning: 'Saved state was written by a newer release; a newer worker can read it.', retryable: true },
  'Store.Unavailable': { meaning: 'The store does not answer, or lost something that this run needs.', retryable: true },
  'Encryption.KeyMissing': {
    meaning: 'Something is encrypted with a key that this process does not have, or has otherwise; one that has it can go on.',
    retryable: true,
  },
  'Connection.Failed': { meaning: 'No Temporal server could be reached.', retryable: false },
} as const satisfies Record<string, FailureKind>;

export type FailureType = keyof typeof failures;

export interface FailOptions {
  /** Facts for machines: problems, status codes. Never a prompt or a secret. */
  details?: unknown[];
  cause?: unknown;
  /** Try again no sooner than this. */
  retryAfter?: Span;
  /** Overrides the table, in the one direction that is safe: nothing more will help. */
  final?: boolean;
}

/** The only way to fail on purpose. In a workflow it ends the run; in an activity the table decides about another attempt. */
export function fail(type: FailureType, message: string, options: FailOptions = {}): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable: options.final === true || !failures[type].retryable,
    ...(options.details && { details: options.details }),
    ...(options.cause instanceof Error && { cause: options.cause }),
    ...(options.retryAfter !== undefined && { nextRetryDelay: options.retryAfter as never }),
  });
}

/** What `State.Newer` is where somebody is told at once: no newer worker will come by for this one. */
export function readNow<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { type, message, details } = failureOf(error);
    if (type !== 'State.Newer') throw error;
    throw fail('State.Newer', message, { final: true, ...(details && { details }) });
  }
}

/** The outermost typed failure of an error, whatever wraps it. */
export function failureOf(error: unknown): { type: string; message: string; details?: unknown[] } {
  let inner = error;
  for (let depth = 0; inner !== null && typeof inner === 'object' && depth < 20; depth++) {
    const { type, message, details, cause } = inner as { type?: unknown; message?: unknown; details?: unknown; cause?: unknown };
    if (typeof type === 'string' && type.includes('.')) {
      return { type, message: String(message), ...(Array.isArray(details) && details.length > 0 && { details }) };
    }
    inner = cause;
  }
  return { type: 'Run.Failed', message: error instanceof Error ? error.message : String(error) };
}
