/** What the exit code of a command says. One table, also for the documentation. */
import { failures, type FailureType } from '../contract/failure.js';
import type { RunResult } from '../contract/run.js';

export const exitCodes = {
  ok: 0,
  failed: 1,
  badInput: 2,
  noConnection: 3,
  notFound: 4,
  timedOut: 5,
  stopped: 6,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeMeanings: { [Code in ExitCode]: string } = {
  0: 'Done. For a run: it came to its end.',
  1: 'The run or the turn failed, or something broke that should not.',
  2: 'The command cannot be done as it was given: usage, input, settings, a saved state that cannot be used, or a run that does not take it.',
  3: 'No Temporal server, worker or store could be reached.',
  4: 'There is no such run, or no such snapshot.',
  5: 'The time given has passed; the run goes on.',
  6: 'The run was cancelled, or stopped at a limit.',
  130: 'Interrupted with Ctrl-C; a run that was being watched goes on.',
};

const byFailure: { [Type in FailureType]?: ExitCode } = {
  'Run.NotFound': exitCodes.notFound,
  'State.NotFound': exitCodes.notFound,
  'Run.AlreadyExists': exitCodes.badInput,
  'Run.NotConversational': exitCodes.badInput,
  'Run.Closed': exitCodes.badInput,
  'Run.Open': exitCodes.badInput,
  'Run.OtherEnvironment': exitCodes.badInput,
  'State.Mismatch': exitCodes.badInput,
  'State.Unreadable': exitCodes.badInput,
  'State.Newer': exitCodes.badInput,
  'Encryption.KeyMissing': exitCodes.badInput,
  'Run.TimedOut': exitCodes.timedOut,
  'Connection.Failed': exitCodes.noConnection,
  'Store.Unavailable': exitCodes.noConnection,
};

/** By a failure's type; everything under `Input.` is bad input. */
export function exitCodeOf(type: string): ExitCode {
  if (!(type in failures)) return exitCodes.failed;
  return byFailure[type as FailureType] ?? (type.startsWith('Input.') ? exitCodes.badInput : exitCodes.failed);
}

export function exitCodeOfResult({ status }: Pick<RunResult, 'status'>): ExitCode {
  return status === 'completed' ? exitCodes.ok : exitCodes.stopped;
}
