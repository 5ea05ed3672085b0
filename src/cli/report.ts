/** A failure as a command tells it: one message, and an exit code. */
import type { Environment } from '../config.js';
import { failureOf } from '../contract/failure.js';
import { exitCodeOf, type ExitCode } from './exit-codes.js';
import { printable, type Terminal } from './terminal.js';

export function reportFailure(error: unknown, terminal: Terminal, env: Environment): ExitCode {
  const failure = toldFailure(error);
  terminal.note(`${terminal.noteStyle.red('✗')} ${printable(failure.message)}`);
  if (env.OSTINATO_DEBUG) terminal.note(error instanceof Error ? stackOf(error) : String(error));
  terminal.document({ error: failure });
  return exitCodeOf(failure.type);
}

/** What is typed speaks for itself. Anything else is a bug of ours or of the project's, and says how to see more. */
function toldFailure(error: unknown): { type: string; message: string; details?: unknown[] } {
  const failure = failureOf(error);
  if (isTyped(error)) return failure;
  return { ...failure, message: `${failure.message.replace(/[.\s]*$/, '')}. Set OSTINATO_DEBUG=1 to see where this happened.` };
}

function isTyped(error: unknown): boolean {
  for (let e: unknown = error; e !== null && typeof e === 'object'; e = (e as { cause?: unknown }).cause) {
    if (typeof (e as { type?: unknown }).type === 'string') return true;
  }
  return false;
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
