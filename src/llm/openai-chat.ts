/** Models over Chat Completions: OpenAI, and everything that speaks its protocol. */
import type { OpenAI } from 'openai';
import type { JsonObject } from '../contract/json.js';
import { ask } from './ask.js';
import { linesOf, type Line, type Part } from './conversation.js';
import { defaultTimeoutMs, keyOf, openaiClient, type Endpoint } from './openai-client.js';
import type { ModelProvider, ModelRequest } from './provider.js';
import type { CallDraft, Reply } from './reply.js';

export interface OpenAIChatOptions extends Endpoint {
  /** Asks for token counts in the stream. Turn off for endpoints that refuse `stream_options`; usage is then what they send on their own. @default true */
  streamUsage?: boolean;
  /** How the endpoint calls the limit of output tokens; older ones know only `max_tokens`. @default 'max_completion_tokens' */
  maxTokensField?: 'max_completion_tokens' | 'max_tokens';
}

/**
 * A provider that speaks Chat Completions, always streaming.
 *
 * @example
 * const local = openaiChat({ baseURL: 'http://127.0.0.1:11434/v1', apiKey: '' });
 */
export function openaiChat(options: OpenAIChatOptions): ModelProvider {
  const client = openaiClient(options);
  const wire = { timeoutMs: options.timeoutMs ?? defaultTimeoutMs, secrets: () => [keyOf(options)], reader };
  return {
    complete(request, callOptions) {
      const body = bodyOf(request, options);
      return ask({ ...wire, open: (signal) => client.chat.completions.create(body, { signal }) }, request, callOptions);
    },
  };
}

type Chunk = OpenAI.Chat.ChatCompletionChunk;
type ChatMessage = OpenAI.Chat.ChatCompletionMessageParam;

function bodyOf(request: ModelRequest, options: OpenAIChatOptions): OpenAI.Chat.ChatCompletionCreateParamsStreaming {
  const { model, tools, mustAnswer, temperature, maxOutputTokens, outputSchema } = request;
  return {
    model,
    messages: linesOf(request).flatMap(toChatMessages),
    stream: true,
    ...(options.streamUsage !== false && { stream_options: { include_usage: true } }),
    ...(tools.length > 0 && {
      tools: tools.map(({ name, description, parameters }) => ({ type: 'function' as const, function: { name, description, parameters } })),
    }),
    ...(mustAnswer && tools.length > 0 && { tool_choice: 'none' as const }),
    ...(temperature !== undefined && { temperature }),
    ...(maxOutputTokens !== undefined && { [options.maxTokensField ?? 'max_completion_tokens']: maxOutputTokens }),
    ...(outputSchema && { response_format: responseFormat(outputSchema) }),
  };
}

function responseFormat(schema: JsonObject): OpenAI.ResponseFormatJSONSchema {
  return { type: 'json_schema', json_schema: { name: 'reply', schema, strict: false } };
}

function toChatMessages(line: Line): ChatMessage[] {
  switch (line.role) {
    case 'system':
      return [{ role: 'system', content: line.text }];
    case 'user':
      return [{ role: 'user', content: toChatContent(line.parts) }];
    case 'assistant':
      if (line.calls.length === 0) return [{ role: 'assistant', content: line.text }];
      return [
        {
          role: 'assistant',
          content: line.text || null,
          tool_calls: line.calls.map((call) => ({
            id: call.id,
            type: 'function',
            function: { name: call.name, arguments: call.arguments },
          })),
        },
        ...line.calls.map((call): ChatMessage => ({ role: 'tool', tool_call_id: call.id, content: call.result })),
      ];
  }
}

/** Plain text wherever it is enough: many endpoints know nothing else. */
function toChatContent(parts: Part[]): string | OpenAI.Chat.ChatCompletionContentPart[] {
  const texts = parts.flatMap((part) => ('text' in part ? [part.text] : []));
  if (texts.length === parts.length) return texts.join('\n');
  return parts.map((part) => {
    if ('text' in part) return { type: 'text', text: part.text };
    if ('image' in part) return { type: 'image_url', image_url: { url: part.image } };
    return { type: 'file', file: { file_data: part.file, filename: part.name } };
  });
}

/** Reasoning is not part of the protocol; endpoints that send it use one of two names, some both. */
type Delta = OpenAI.Chat.ChatCompletionChunk.Choice.Delta & { reasoning_content?: string | null; reasoning?: string | null };

function reader(reply: Reply): (chunk: Chunk) => void {
  const toCall = callReader(reply);
  return (chunk) => {
    if (typeof chunk.model === 'string') reply.model = chunk.model;
    if (chunk.usage) reply.usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens, chunk.usage.total_tokens);
    const choice = chunk.choices?.[0];
    if (!choice) return;
    const delta: Delta = choice.delta ?? {};
    reply.reasoning(delta.reasoning_content || delta.reasoning);
    reply.text(delta.content);
    reply.refusal(delta.refusal);
    for (const fragment of delta.tool_calls ?? []) toCall(fragment);
    if (choice.finish_reason) reply.finishReason = choice.finish_reason;
  };
}

/**
 * Fragments belong together by `index`. Some endpoints leave it out or count nothing by it and send each call whole:
 * there a new id, or a name after complete arguments, begins a new call.
 */
function callReader(reply: Reply): (fragment: OpenAI.Chat.ChatCompletionChunk.Choice.Delta.ToolCall) => void {
  const byIndex = new Map<number, CallDraft>();
  let last: CallDraft | undefined;
  return ({ index, id, function: call }) => {
    const known = typeof index === 'number' ? byIndex.get(index) : last;
    const text = argumentsText(call?.arguments);
    const draft = known && !beginsAnother(known, { id, name: call?.name, text }) ? known : reply.call();
    if (typeof index === 'number') byIndex.set(index, draft);
    last = draft;
    if (id) draft.id = id;
    if (call?.name && draft.name === '') draft.name = call.name;
    draft.arguments += text;
  };
}

function beginsAnother(known: CallDraft, fragment: { id?: string; name?: string; text: string }): boolean {
  if (fragment.id && known.id && fragment.id !== known.id) return true;
  return Boolean(fragment.name) && known.arguments !== '' && isJson(known.arguments);
}

function argumentsText(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : '';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
