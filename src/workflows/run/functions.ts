/** Registered functions: code of the application's own that decides or transforms. */
import type { Json } from '../../contract/json.js';
import { callFunction, stepFailure } from './activities.js';
import type { AnyRun } from './run.js';
import { beginStep, recordStep } from './steps.js';
import { showDetails } from './visibility.js';

export interface CallOptions {
  /** The function is given what was said from this position on, as `messages`. */
  since?: number;
  /** Instead of `input`, which is only their beginning: words in the store. */
  words?: string;
}

/** @throws `Function.Failed` */
export async function callRegistered(run: AnyRun, name: string, input: Json, { since, words }: CallOptions = {}): Promise<Json> {
  run.throwIfStopped();
  const ordinal = (run.state.lastTurn += 1);
  const step = beginStep(run, `${ordinal}/1`);
  showDetails(run, name);
  const output = await run.outbox
    .along((base) =>
      callFunction(
        run.state.settings.times.tool,
        `function ${name}`.slice(0, 200),
      )({
        ...base,
        name,
        step,
        input: words === undefined ? input : null,
        ...(words !== undefined && { words }),
        ...(since !== undefined && { since }),
        transcript: run.transcript.ref(),
        idempotencyKey: `${run.state.conversationId}/${step}`,
      }),
    )
    .catch((error: unknown) => {
      throw stepFailure(error, 'Function.Failed', `The function "${name}"`);
    });
  run.transcript.advance(output.head);
  recordStep(run, step, output);
  return output.value;
}
