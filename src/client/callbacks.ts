/** A run that calls back: with each event, with each complete message. */
import type { RunEvent } from '../contract/event.js';
import type { ClientContext } from './context.js';
import { readArtifact } from './transcript.js';
import type { WatchOptions } from './watch.js';

/** What an agent has said, once all of it is there. */
export interface CompleteMessage {
  agent: string;
  text: string;
  /** Ordinal of its turn. */
  turn: number;
}

export interface CallbackOptions extends WatchOptions {
  /** What a callback throws. Nothing else hears of it. */
  onError?: (error: unknown) => void;
}

/** One event after another. Returns what stops it. A callback that throws stops only itself. */
export function callBack(
  watch: (options: WatchOptions) => AsyncIterable<RunEvent>,
  callback: (event: RunEvent) => void | Promise<void>,
  { onError, ...options }: CallbackOptions,
): () => void {
  const stopping = new AbortController();
  const signal = options.signal ? AbortSignal.any([stopping.signal, options.signal]) : stopping.signal;
  void (async () => {
    for await (const event of watch({ ...options, signal })) await callback(event);
  })().catch((error: unknown) => {
    if (!stopping.signal.aborted) onError?.(error);
  });
  return () => stopping.abort();
}

/** `undefined` for any other event, and for what is said in runs within. A long message is read from the store. */
export async function completeMessage(context: ClientContext, event: RunEvent): Promise<CompleteMessage | undefined> {
  if (event.type !== 'turn.completed' || event.nested !== undefined) return undefined;
  const text = event.artifact === undefined ? event.text : await readArtifact(context, event.artifact);
  return { agent: event.agent ?? '', text, turn: event.turn ?? 0 };
}
