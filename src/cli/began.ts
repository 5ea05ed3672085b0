/** A run that was started from a snapshot tells only once it begins whether the snapshot fits: whoever started it is told. */
import type { RunHandle } from '../client.js';
import { asFailureType } from '../client/call.js';
import { fail } from '../contract/failure.js';
import type { RunStatus } from '../contract/run.js';

const patienceMs = 10_000;
const pauseMs = 100;
/** What goes wrong later is told to whoever watches. */
const couldNotBegin = /^(State|Input)\./;

/**
 * Where the run is once it has begun; `undefined` when that takes long.
 *
 * @throws the failure of a run that could not begin
 */
export async function began(handle: RunHandle, signal: AbortSignal): Promise<RunStatus | undefined> {
  const until = Date.now() + patienceMs;
  while (Date.now() < until && !signal.aborted) {
    // A worker that has just come may need a moment before it answers.
    const status = await handle.status().catch(() => undefined);
    if (status?.failure && couldNotBegin.test(status.failure.type)) throw fail(asFailureType(status.failure.type), status.failure.message);
    if (status && status.status !== 'starting') return status;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return undefined;
}
