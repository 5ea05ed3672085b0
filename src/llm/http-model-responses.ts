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
  for (const [index, { item, begun, pieces, event, extra }] of output.entries()) {
    await send('response.output_item.added', { output_index: index, item: begun });
    for (const delta of pieces) {
      await send(event, { item_id: textAt(item['id']), output_index: index, ...extra, delta });
      if (event !== 'response.function_call_arguments.delta') await connection.pause(reply.delayMs ?? 0);
    }
    if (options.open) return;
    await send('response.output_item.done', { output_index: index, item });
  }
  await send(`response.${textAt(whole['status'])}`, { response: whole });
  connection.end();
}

interface StreamedItem {
  item: JsonObject;
  /** The item before its content has come. */
  begun: JsonObject;
  pieces: string[];
  event: string;
  extra: JsonObject;
}

function itemsOf(request: HttpModelRequest, reply: HttpModelReply): StreamedItem[] {
  const items: StreamedItem[] = [];
  const { reasoning, refusal } = reply;
  if (reasoning) {
    const item = { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: reasoning }] };
    items.push({
      item,
      begun: { ...item, summary: [] },
      pieces: wordsOf(reasoning),
      event: 'response.reasoning_summary_text.delta',
      extra: { summary_index: 0 },
    });
  }
  const text = reply.chunks?.join('') ?? reply.text;
  if (text !== undefined && (text !== '' || !reply.calls?.length)) {
    const item = messageItem({ type: 'output_text', text, annotations: [] });
    items.push({
      item,
      begun: { ...item, content: [] },
      pieces: reply.chunks ?? wordsOf(text),
      event: 'response.output_text.delta',
      extra: { content_index: 0, logprobs: [] },
    });
  }
  if (refusal) {
    const item = messageItem({ type: 'refusal', refusal });
    items.push({
      item,
      begun: { ...item, content: [] },
      pieces: wordsOf(refusal),
      event: 'response.refusal.delta',
      extra: { content_index: 0 },
    });
  }
  for (const call of callsOf(request, reply)) {
    const item = {
      id: `fc_${call.id}`,
      type: 'function_call',
      status: 'completed',
      call_id: call.id,
      name: call.name,
      arguments: call.arguments,
    };
    items.push({
      item,
      begun: { ...item, arguments: '' },
      pieces: fragmentsOf(call.arguments),
      event: 'response.function_call_arguments.delta',
      extra: {},
    });
  }
  return items;
}

function messageItem(part: JsonObject): JsonObject {
  return { id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content: [part] };
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
