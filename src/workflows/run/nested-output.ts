/** What a nested run has come to, as a message of the member or the result of a call. What is large goes through the store. */
import type { Json } from '../../contract/json.js';
import { outputMessage } from '../../contract/output-message.js';
import { jsonBytes } from '../../contract/size.js';
import type { StepMessage, StoreOutputInput } from '../../contract/step.js';
import { stepFailure, storeOutput } from './activities.js';
import type { AnyRun } from './run.js';

/** So much is a part of the run's state, as often as it may be said. */
const largeOutput = 4 * 1024;

type Output = Pick<StoreOutputInput, 'agent' | 'artifact' | 'callId'> & { output: Json };

export async function takeOutput(run: AnyRun, { output, ...about }: Output): Promise<Pick<StepMessage, 'message' | 'blob' | 'cut'>> {
  if (about.artifact === undefined && jsonBytes(output) <= largeOutput)
    return { message: outputMessage({ ...about, output, createdAt: new Date().toISOString() }) };
  const { message, blob, cut } = await run.outbox
    .along((base) => storeOutput(`output of ${about.agent}`)({ ...base, ...about, ...(about.artifact === undefined && { output }) }))
    .catch((error: unknown) => {
      throw stepFailure(error, 'Store.Unavailable', `Storing the output of ${about.agent}`);
    });
  return { message, ...(blob !== undefined && { blob }), ...(cut && { cut }) };
}
