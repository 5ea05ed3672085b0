/** Chat Completions as an endpoint speaks it. */
import type { Json, JsonObject } from '../contract/json.js';
import { fragmentsOf, tokensOf, wordsOf, type HttpModelConnection } from './http-model-connection.js';
import type { HttpModelMessage, HttpModelReply, HttpModelRequest } from './http-model.js';

export type ParsedRequest = Omit<HttpModelRequest, 'headers' | 'body' | 'signal'>;

export interface SendOptions {
  /** Leave the stream without an end. */
  open?: boolean;
}

export function parseChat(body: JsonObject): ParsedRequest {
  const schema = objectAt(objectAt(body['response_format'])['json_schema'])['schema'];
  const maxOutputTokens = body['max_completion_tokens'] ?? body['max_tokens'];
  return {
    api: 'chat',
    model: textAt(body['model']),
    messages: listAt(body['messages']).map(parseMessage),
    tools: listAt(body['tools']).map((tool) => parseTool(objectAt(tool['function']))),
    ...settingsOf(body, maxOutputTokens, schema),
  };
}

export async function sendChat(
  connection: HttpModelConnection,
  request: HttpModelRequest,
  reply: HttpModelReply,
  options: SendOptions = {},
): Promise<void> {
  const common = { id: 'chatcmpl-local', created: 0, model: reply.model ?? request.model };
  const calls = callsOf(request, reply);
  const finishReason = reply.finishReason ?? (calls.length > 0 ? 'tool_calls' : 'stop');
  if (!connection.streams && !options.open) {
    const message = {
      role: 'assistant',
      content: reply.text ?? reply.chunks?.join('') ?? null,
      ...(reply.refusal !== undefined && { refusal: reply.refusal }),
      ...(reply.reasoning !== undefined && { reasoning_content: reply.reasoning }),
      ...(calls.length > 0 && { tool_calls: calls.map((call) => toolCall(call)) }),
    };
    const choices = [{ index: 0, message, finish_reason: finishReason }];
    return connection.json({
      ...common,
      object: 'chat.completion',
      choices,
      ...(reply.usage !== null && { usage: usageOf(request, reply) }),
    });
  }

  const chunk = (delta: Json, finish: string | null = null) =>
    connection.event({ ...common, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] });
  await chunk({ role: 'assistant', content: '' });
  for (const [field, words] of wordsToSay(reply)) {
    for (const word of words) {
      await chunk({ [field]: word });
      await connection.pause(reply.delayMs ?? 0);
    }
  }
  for (const [index, call] of calls.entries()) {
    await chunk({ tool_calls: [{ index, ...toolCall({ ...call, arguments: '' }) }] });
    for (const fragment of fragmentsOf(call.arguments)) await chunk({ tool_calls: [{ index, function: { arguments: fragment } }] });
  }
  if (options.open) return;
  await chunk({}, finishReason);
  const wantsUsage = objectAt(request.body['stream_options'])['include_usage'] === true;
  if (wantsUsage && reply.usage !== null)
    await connection.event({ ...common, object: 'chat.completion.chunk', choices: [], usage: usageOf(request, reply) });
  await connection.event('[DONE]');
  connection.end();
}

function wordsToSay(reply: HttpModelReply): [string, string[]][] {
  return [
    ['reasoning_content', wordsOf(reply.reasoning ?? '')],
    ['content', reply.chunks ?? wordsOf(reply.text ?? '')],
    ['refusal', wordsOf(reply.refusal ?? '')],
  ];
}

function toolCall({ id, name, arguments: text }: ReplyCall): { id: string; type: string; function: { name: string; arguments: string } } {
  return { id, type: 'function', function: { name, arguments: text } };
}

function usageOf(request: HttpModelRequest, reply: HttpModelReply): Json {
  const { inputTokens, outputTokens } = countTokens(request, reply);
  return { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens };
}

function parseMessage(message: JsonObject): HttpModelMessage {
  const calls = listAt(message['tool_calls']).map((call) => {
    const made = objectAt(call['function']);
    return { id: textAt(call['id']), name: textAt(made['name']), arguments: textAt(made['arguments']) };
  });
  return {
    role: textAt(message['role']),
    content: contentText(message['content']),
    ...(calls.length > 0 && { calls }),
    ...(typeof message['tool_call_id'] === 'string' && { callId: message['tool_call_id'] }),
  };
}

// What both APIs have in common.

export interface ReplyCall {
  id: string;
  name: string;
  arguments: string;
}

/** Ids count on from the calls of the conversation: the same request, the same ids. */
export function callsOf(request: HttpModelRequest, reply: HttpModelReply): ReplyCall[] {
  const earlier = request.messages.reduce((count, { calls }) => count + (calls?.length ?? 0), 0);
  return (reply.calls ?? []).map((call, index) => ({
    id: call.id ?? `call_${earlier + index + 1}`,
    name: call.name,
    arguments: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments),
  }));
}

export function countTokens(request: HttpModelRequest, reply: HttpModelReply): { inputTokens: number; outputTokens: number } {
  if (reply.usage) return reply.usage;
  const said = [
    reply.text ?? reply.chunks?.join('') ?? '',
    reply.reasoning ?? '',
    reply.refusal ?? '',
    ...callsOf(request, reply).map((call) => call.arguments),
  ];
  const heard = request.messages.reduce((sum, { content }) => sum + tokensOf(content), 0);
  return { inputTokens: heard, outputTokens: tokensOf(said.join('')) };
}

export function parseTool(tool: JsonObject): HttpModelRequest['tools'][number] {
  return { name: textAt(tool['name']), description: textAt(tool['description']), parameters: objectAt(tool['parameters']) };
}

export function settingsOf(body: JsonObject, maxOutputTokens: Json | undefined, schema: Json | undefined): Partial<ParsedRequest> {
  const { temperature, tool_choice: toolChoice } = body;
  return {
    ...(typeof toolChoice === 'string' && { toolChoice }),
    ...(typeof temperature === 'number' && { temperature }),
    ...(typeof maxOutputTokens === 'number' && { maxOutputTokens }),
    ...(schema !== undefined && { outputSchema: objectAt(schema) }),
  };
}

/** A string, or the texts of a list of parts. */
export function contentText(content: Json | undefined): string {
  if (typeof content === 'string') return content;
  return listAt(content)
    .map((part) => textAt(part['text']))
    .filter((text) => text !== '')
    .join('\n');
}

export function textAt(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

export function objectAt(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

export function listAt(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.map(objectAt) : [];
}
