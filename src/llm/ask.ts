/** One model call over a stream: silence, abort, an empty reply and every failure are handled here, the same for both APIs. */
import { fail } from '../contract/failure.js';
import { toModelFailure } from './failures.js';
import type { CallOptions, ModelRequest, ModelResponse } from './provider.js';
import { Reply } from './reply.js';

/** How one API is spoken. */
export interface Wire<Event> {
  /** Sends the request; the signal ends it, also in the middle of the stream. */
  open(signal: AbortSignal): PromiseLike<AsyncIterable<Event>>;
  /** Returns what reads the events of one stream into the reply. */
  reader(reply: Reply): (event: Event) => void;
  timeoutMs: number;
  secrets: () => string[];
}

export async function ask<Event>(wire: Wire<Event>, request: ModelRequest, options: CallOptions = {}): Promise<ModelResponse> {
  try {
    const first = await attempt(wire, options);
    if (!first.isEmpty) return first.build(request);
    // Models say nothing now and then; asked again they nearly always do, and it is cheaper here than as an attempt of the step.
    const second = await attempt(wire, options);
    if (!second.isEmpty) return second.build(request, first);
    throw fail('Model.Empty', emptyAdvice(second));
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason;
    throw toModelFailure(error, { secrets: wire.secrets(), prompt: () => JSON.stringify([request.instructions, request.messages]) });
  }
}

async function attempt<Event>(wire: Wire<Event>, { signal, onDelta }: CallOptions): Promise<Reply> {
  const stop = new AbortController();
  const abort = () => stop.abort(signal?.reason);
  signal?.throwIfAborted();
  signal?.addEventListener('abort', abort, { once: true });
  let silence: NodeJS.Timeout | undefined;
  try {
    const reply = new Reply(onDelta);
    const read = wire.reader(reply);
    const stream = await wire.open(stop.signal);
    silence = setTimeout(() => stop.abort(), wire.timeoutMs);
    for await (const event of stream) {
      silence.refresh();
      if (typeof event !== 'object' || event === null)
        throw fail('Model.Malformed', 'The endpoint sent an event that is no JSON object. Another attempt may help.');
      read(event);
    }
    // An aborted stream just ends, as if it were complete.
    signal?.throwIfAborted();
    if (stop.signal.aborted) throw fail('Model.Unavailable', `The provider was silent for ${wire.timeoutMs} ms. Another attempt may help.`);
    reply.assertComplete();
    return reply;
  } finally {
    clearTimeout(silence);
    signal?.removeEventListener('abort', abort);
    stop.abort();
  }
}

function emptyAdvice(reply: Reply): string {
  return reply.finishReason === 'length'
    ? 'The model used up its output tokens before it said anything, twice. Raise maxOutputTokens of the agent.'
    : 'The model said nothing, twice. Change the instructions or the model.';
}
