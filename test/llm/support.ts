/** Requests and endpoints that the tests of src/llm share. */
import type { Content, Message } from '../../src/contract/message.js';
import { serveModel, type HttpModel, type HttpModelBrain, type HttpModelFault, type HttpModelReply } from '../../src/llm/http-model.js';
import { openaiChat } from '../../src/llm/openai-chat.js';
import type { Endpoint } from '../../src/llm/openai-client.js';
import { openaiResponses } from '../../src/llm/openai-responses.js';
import type { ModelProvider, ModelRequest } from '../../src/llm/provider.js';

export const apis = ['chat', 'responses'] as const;
export type Api = (typeof apis)[number];

export function providerOf(api: Api, endpoint: Partial<Endpoint>): ModelProvider {
  const complete = { apiKey: 'test-key', ...endpoint };
  return api === 'chat' ? openaiChat(complete) : openaiResponses(complete);
}

export function message(role: string, words: string | Content[], authorName?: string): Message {
  const contents: Content[] = typeof words === 'string' ? [{ $type: 'text', text: words }] : words;
  return { role, ...(authorName !== undefined && { authorName }), contents };
}

export function requestOf(messages: Message[], more: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: 'test-model',
    agent: 'writer',
    instructions: 'Write.',
    messages: messages.map((one) => ({ message: one })),
    tools: [],
    ...more,
  };
}

export const hello = requestOf([message('user', 'Hello.')]);

/** An endpoint that is closed at the end of the test's block. */
export async function endpointOf(brain: HttpModelBrain): Promise<HttpModel & AsyncDisposable> {
  const model = await serveModel(brain);
  return { ...model, [Symbol.asyncDispose]: model.close };
}

/** Says one thing after another, the last one for ever. */
export function inTurn(...replies: (HttpModelReply | HttpModelFault)[]): HttpModelBrain {
  let call = 0;
  return () => replies[Math.min(call++, replies.length - 1)]!;
}

/** Server-sent events, each piece of data one event. */
export function sse(...data: unknown[]): string[] {
  return data.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`);
}

/** A stream of Chat Completions, from deltas alone. */
export function chatStream(deltas: object[], finishReason: string | null = 'stop'): string[] {
  const chunk = (delta: object, finish: string | null) => ({ model: 'test-model', choices: [{ index: 0, delta, finish_reason: finish }] });
  return sse(...deltas.map((delta) => chunk(delta, null)), ...(finishReason ? [chunk({}, finishReason)] : []), '[DONE]');
}

/** What a promise fails with. */
export async function failureFrom(
  promise: Promise<unknown>,
): Promise<{ type?: string; message: string; nonRetryable?: boolean; nextRetryDelay?: unknown; details?: unknown[] }> {
  const error = await promise.then(
    () => new Error('It did not fail.'),
    (reason: unknown) => reason,
  );
  return error as { message: string };
}
