import { Context, log as logger } from '@temporalio/activity';
import { fail } from '../contract/failure.js';
import type { Json, JsonObject } from '../contract/json.js';
import { textOf, type Message } from '../contract/message.js';
import { jsonBytes, sizes } from '../contract/size.js';
import type { CallFunctionInput, CallFunctionOutput } from '../contract/step.js';
import type { Entry } from '../contract/transcript.js';
import type { FunctionRegistry } from '../functions/registry.js';
import type { Store } from '../store/store.js';
import { withHeartbeat } from './heartbeat.js';
import { publishEvents } from './publish.js';
import { reasonOf } from './reason-of.js';
import { toJson } from './tool-result.js';
import type { Transcripts } from './transcripts.js';

export interface CallFunctionDeps {
  store: Store;
  transcripts: Transcripts;
  functions: FunctionRegistry;
}

/**
 * A registered function decides or transforms. What it throws fails it for good: it is our application's code, and nobody could tell
 * whether a second attempt is harmless. It is tried again when its worker was lost, under the same idempotency key.
 */
export function createCallFunction({ store, transcripts, functions }: CallFunctionDeps) {
  return async function callFunction(input: CallFunctionInput): Promise<CallFunctionOutput> {
    const { info } = Context.current();
    return await withHeartbeat(async (signal) => {
      const [{ entries, fresh }] = await Promise.all([transcripts.read(input.transcript), publishEvents(store.events, input)]);
      const head = await transcripts.write(input.transcript.head, fresh, entries);
      const given = input.words === undefined ? input : { ...input, input: textOf(await transcripts.message(input.words)) };
      const value = await runFunction(functions, given, signal, saidToAll(transcripts, entries));
      return { value, head, ...(info.attempt > 1 && { attempt: info.attempt }) };
    });
  };
}

/** From a position on. */
export function saidToAll(transcripts: Transcripts, entries: readonly Entry[]) {
  return async (from: number): Promise<Message[]> =>
    await Promise.all(entries.slice(from).flatMap((entry) => (entry.audience ? [] : [transcripts.whole(entry)])));
}

/** @throws `Function.Failed`, for good */
export async function runFunction(
  functions: FunctionRegistry,
  { name, input, since, idempotencyKey }: Pick<CallFunctionInput, 'name' | 'input' | 'since' | 'idempotencyKey'>,
  signal: AbortSignal,
  said: (from: number) => Promise<Message[]>,
): Promise<Json> {
  const { attempt, workflowExecution } = Context.current().info;
  const known = functions.get(name);
  if (!known) throw fail('Function.Failed', `This worker has no function "${name}" any more. Register it.`, { final: true });
  const given = since === undefined ? input : { ...(input as JsonObject), messages: (await said(since)) as unknown as Json };
  const context = { idempotencyKey, attempt, signal, runId: workflowExecution?.workflowId ?? '', messages: () => said(0) };
  let returned: unknown;
  try {
    returned = await known.run(given as never, context);
  } catch (error) {
    if (signal.aborted) throw error;
    logger.warn('A function failed.', { name, attempt, error });
    throw fail('Function.Failed', `The function "${name}" threw: ${reasonOf(error)}`, { final: true });
  }
  const json = toJson(returned ?? null);
  if ('problem' in json)
    throw fail('Function.Failed', `What the function "${name}" returned cannot be used: ${json.problem}.`, { final: true });
  if (jsonBytes(json.value) > sizes.input)
    throw fail('Function.Failed', `What the function "${name}" returned is larger than ${sizes.input / 1024} KiB. Return less.`, {
      final: true,
    });
  return json.value;
}
