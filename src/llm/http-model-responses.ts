/** The Responses API as an endpoint speaks it. */
import type { Json, JsonObject } from '../contract/json.js';
import {
  callsOf,
  contentText,
  countTokens,
  listAt,
  objectAt,
  parseTool,
  settingsOf,
  textAt,
  type ParsedRequest,
  type ReplyCall,
  type SendOptions,
} from './http-model-chat.js';
import { fragmentsOf, wordsOf, type HttpModelConnection } from './http-model-connection.js';
import type { HttpModelMessage, HttpModelReply, HttpModelRequest } from './http-model.js';

export function parseResponses(body: JsonObject): ParsedRequest {
  const { input, instructions } = body;
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : listAt(input);
  return {
    api: 'responses',
    model: textAt(body['model']),
    messages: [...(typeof instructions === 'string' ? [{ role: 'system', content: instructions }] : []), ...parseItems(items)],
    tools: listAt(body['tools']).map(parseTool),
    ...settingsOf(body, body['max_output_tokens'], objectAt(objectAt(body['text'])['format'])['schema']),
  };
}

/** Calls are items of their own here; they belong to the assistant's message before them. */
function parseItems(items: JsonObject[]): HttpModelMessage[] {
  const messages: HttpModelMessage[] = [];
  for (const item of items) {
    const last = messages.at(-1);
    if (item['type'] === 'function_call') {
      const call = { id: textAt(item['call_id']), name: textAt(item['name']), arguments: textAt(item['arguments']) };
      if (last?.role === 'assistant') last.calls = [...(last.calls ?? []), call];
      else messages.push({ role: 'assistant', content: '', calls: [call] });
    } else if (item['type'] === 'function_call_output') {
      messages.push({ role: 'tool', content: contentText(item['output']), callId: textAt(item['call_id']) });
    } else if (item['type'] === undefined || item['type'] === 'message') {
      const role = textAt(item['role']);
      messages.push({ role: role === 'developer' ? 'system' : role, content: contentText(item['content']) });
    }
  }
  return messages;
}

export async function sendResponse(
  connection: HttpModelConnection,
  request: HttpModelRequest,
  reply: HttpModelReply,
  options: SendOptions = {},
): Promise<void> {
  const output = itemsOf(request, reply);
  const whole = finalResponse(
    request,
    reply,
    output.map(({ item }) => item),
  );
  if (!connection.streams && !options.open) return connection.json(whole);

  let number = 0;
  const send = (type: string, fields: JsonObject) => connection.event({ type, sequence_number: number++, ...fields }, type);
  await send('response.created', { response: { ...whole, status: 'in_progress', output: [], usage: null } });
  for (const [index, streamed] of output.entries()) {
    const place = { item_id: textAt(streamed.item['id']), output_index: index };
    await send('response.output_item.added', { output_index: index, item: streamed.begun });
    await sendContent((type, fields) => send(type, { ...place, ...fields }), connection, streamed, reply.delayMs ?? 0, options);
    if (options.open) return;
    await send('response.output_item.done', { output_index: index, item: streamed.item });
  }
  await send(`response.${textAt(whole['status'])}`, { response: whole });
  connection.end();
}

interface StreamedItem {
  item: JsonObject;
  /** The item before its content has come. */
  begun: JsonObject;
  /** The content is a part of the item: how its events are called, and where it is. */
  part?: { name: string; at: JsonObject; begun: JsonObject; whole: JsonObject };
  /** Of the content: how its events are called, and what their last one calls it. */
  event: string;
  field: string;
  pieces: string[];
}

type Send = (type: string, fields: JsonObject) => Promise<void>;

async function sendContent(
  send: Send,
  connection: HttpModelConnection,
  streamed: StreamedItem,
  delayMs: number,
  { open }: SendOptions,
): Promise<void> {
  const { part, event, field, pieces } = streamed;
  const at = part?.at ?? {};
  if (part) await send(`response.${part.name}.added`, { ...at, part: part.begun });
  for (const delta of pieces) {
    await send(`response.${event}.delta`, { ...at, delta });
    if (part) await connection.pause(delayMs);
  }
  if (open) return;
  await send(`response.${event}.done`, { ...at, [field]: pieces.join('') });
  if (part) await send(`response.${part.name}.done`, { ...at, part: part.whole });
}

function itemsOf(request: HttpModelRequest, reply: HttpModelReply): StreamedItem[] {
  const { reasoning, refusal } = reply;
  const text = reply.chunks?.join('') ?? reply.text;
  const says = text !== undefined && (text !== '' || !reply.calls?.length);
  return [
    ...(reasoning ? [reasoningItem(reasoning)] : []),
    ...(says ? [messageItem('output_text', 'text', reply.chunks ?? wordsOf(text), { annotations: [], logprobs: [] })] : []),
    ...(refusal ? [messageItem('refusal', 'refusal', wordsOf(refusal), {})] : []),
    ...callsOf(request, reply).map(callItem),
  ];
}

function reasoningItem(text: string): StreamedItem {
  const item = { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text }] };
  const part = {
    name: 'reasoning_summary_part',
    at: { summary_index: 0 },
    begun: { type: 'summary_text', text: '' },
    whole: { type: 'summary_text', text },
  };
  return { item, begun: { ...item, summary: [] }, part, event: 'reasoning_summary_text', field: 'text', pieces: wordsOf(text) };
}

function messageItem(type: 'output_text' | 'refusal', field: 'text' | 'refusal', pieces: string[], more: JsonObject): StreamedItem {
  const whole = { type, [field]: pieces.join(''), ...more };
  const item = { id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content: [whole] };
  const part = { name: 'content_part', at: { content_index: 0 }, begun: { ...whole, [field]: '' }, whole };
  return { item, begun: { ...item, status: 'in_progress', content: [] }, part, event: type, field, pieces };
}

function callItem(call: ReplyCall): StreamedItem {
  const item = {
    id: `fc_${call.id}`,
    type: 'function_call',
    status: 'completed',
    call_id: call.id,
    name: call.name,
    arguments: call.arguments,
  };
  const begun = { ...item, status: 'in_progress', arguments: '' };
  return { item, begun, event: 'function_call_arguments', field: 'arguments', pieces: fragmentsOf(call.arguments) };
}

const incompleteReasons: { [finishReason: string]: string } = { length: 'max_output_tokens', content_filter: 'content_filter' };

function finalResponse(request: HttpModelRequest, reply: HttpModelReply, output: Json[]): JsonObject {
  const reason = incompleteReasons[reply.finishReason ?? ''];
  const { inputTokens, outputTokens } = countTokens(request, reply);
  return {
    id: 'resp_local',
    object: 'response',
    created_at: 0,
    model: reply.model ?? request.model,
    status: reason ? 'incomplete' : 'completed',
    incomplete_details: reason ? { reason } : null,
    error: null,
    output,
    usage:
      reply.usage === null ? null : { input_tokens: inputTokens, output_tokens: outputTokens, total_tokens: inputTokens + outputTokens },
  };
}
