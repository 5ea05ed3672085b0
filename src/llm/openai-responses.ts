/** Models over the Responses API. The endpoint keeps nothing: the conversation is ours, and is sent whole. */
import { APIError, type OpenAI } from 'openai';
import { fail } from '../contract/failure.js';
import { ask } from './ask.js';
import { linesOf, type Line, type Part } from './conversation.js';
import { defaultTimeoutMs, keyOf, openaiClient, type Endpoint } from './openai-client.js';
import type { ModelProvider, ModelRequest } from './provider.js';
import type { CallDraft, Reply } from './reply.js';

export interface OpenAIResponsesOptions extends Endpoint {
  /** Asks models that reason for a summary of it. Others refuse the setting. @default none is asked for */
  reasoningSummary?: 'auto' | 'concise' | 'detailed';
}

/**
 * A provider that speaks the Responses API, always streaming. A conversation gives the same reply as over Chat Completions.
 *
 * @example
 * const openai = openaiResponses({ apiKey: () => readKey() });
 */
export function openaiResponses(options: OpenAIResponsesOptions): ModelProvider {
  const client = openaiClient(options);
  const wire = { timeoutMs: options.timeoutMs ?? defaultTimeoutMs, secrets: () => [keyOf(options)], reader };
  return {
    complete(request, callOptions) {
      const body = bodyOf(request, options);
      return ask({ ...wire, open: (signal) => client.responses.create(body, { signal }) }, request, callOptions);
    },
  };
}

type Event = OpenAI.Responses.ResponseStreamEvent;
type InputItem = OpenAI.Responses.ResponseInputItem;
type OutputItem = OpenAI.Responses.ResponseOutputItem;

function bodyOf(request: ModelRequest, options: OpenAIResponsesOptions): OpenAI.Responses.ResponseCreateParamsStreaming {
  const { model, tools, mustAnswer, temperature, maxOutputTokens, outputSchema } = request;
  return {
    model,
    input: linesOf(request).flatMap(toItems),
    stream: true,
    store: false,
    ...(tools.length > 0 && {
      tools: tools.map(({ name, description, parameters }) => ({
        type: 'function' as const,
        name,
        description,
        parameters,
        strict: false,
      })),
    }),
    ...(mustAnswer && tools.length > 0 && { tool_choice: 'none' as const }),
    ...(temperature !== undefined && { temperature }),
    ...(maxOutputTokens !== undefined && { max_output_tokens: maxOutputTokens }),
    ...(outputSchema && { text: { format: { type: 'json_schema', name: 'reply', schema: outputSchema, strict: false } } }),
    ...(options.reasoningSummary && { reasoning: { summary: options.reasoningSummary } }),
  };
}

function toItems(line: Line): InputItem[] {
  switch (line.role) {
    case 'system':
      return [{ role: 'system', content: line.text }];
    case 'user':
      return [{ role: 'user', content: toContent(line.parts) }];
    case 'assistant':
      return [
        ...(line.text === '' ? [] : [{ role: 'assistant' as const, content: line.text }]),
        ...line.calls.map((call): InputItem => ({ type: 'function_call', call_id: call.id, name: call.name, arguments: call.arguments })),
        ...line.calls.map((call): InputItem => ({ type: 'function_call_output', call_id: call.id, output: call.result })),
      ];
  }
}

function toContent(parts: Part[]): string | OpenAI.Responses.ResponseInputContent[] {
  const texts = parts.flatMap((part) => ('text' in part ? [part.text] : []));
  if (texts.length === parts.length) return texts.join('\n');
  return parts.map((part) => {
    if ('text' in part) return { type: 'input_text', text: part.text };
    if ('image' in part) return { type: 'input_image', image_url: part.image, detail: 'auto' };
    return { type: 'input_file', file_data: part.file, filename: part.name };
  });
}

function reader(reply: Reply): (event: Event) => void {
  const items = new ItemReader(reply);
  return (event) => {
    switch (event.type) {
      case 'response.created':
        reply.model = event.response.model;
        break;
      case 'response.output_item.added':
        items.added(event.output_index, event.item);
        break;
      case 'response.reasoning_summary_text.delta':
        items.reasoning(event.output_index, event.delta, event.summary_index);
        break;
      case 'response.reasoning_text.delta':
        items.reasoning(event.output_index, event.delta, event.content_index);
        break;
      case 'response.output_text.delta':
        items.text(event.output_index, event.delta);
        break;
      case 'response.refusal.delta':
        items.refusal(event.output_index, event.delta);
        break;
      case 'response.function_call_arguments.delta':
        items.argumentsOf(event.output_index).arguments += event.delta;
        break;
      case 'response.output_item.done':
        items.done(event.output_index, event.item);
        break;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        items.rest(event.response.output ?? []);
        finish(reply, event.response);
        break;
      case 'error':
        throw new APIError(undefined, { code: event.code ?? undefined, message: event.message }, undefined, undefined);
    }
  };
}

function finish(reply: Reply, response: OpenAI.Responses.Response): void {
  const { status, usage, incomplete_details: incomplete, error, model } = response;
  if (status === 'failed' || status === 'cancelled')
    throw new APIError(undefined, error ?? { message: `The response was ${status}.` }, undefined, undefined);
  if (typeof model === 'string') reply.model = model;
  if (usage) reply.usage(usage.input_tokens, usage.output_tokens, usage.total_tokens);
  const cut = incomplete?.reason === 'max_output_tokens' ? 'length' : incomplete?.reason;
  reply.finishReason = status === 'incomplete' ? (cut ?? 'incomplete') : 'stop';
}

/** Items come in pieces, or whole at their end, or only in the final response: each is taken once. */
class ItemReader {
  private readonly said = new Set<number>();
  private readonly calls = new Map<number, CallDraft>();
  private summary = '';

  constructor(private readonly reply: Reply) {}

  text(index: number, delta: string): void {
    this.said.add(index);
    this.reply.text(delta);
  }

  refusal(index: number, delta: string): void {
    this.said.add(index);
    this.reply.refusal(delta);
  }

  /** Parts of a summary are paragraphs. */
  reasoning(index: number, delta: string, part: number): void {
    const place = `${index}/${part}`;
    if (this.said.has(index) && this.summary !== place) this.reply.reasoning('\n\n');
    this.summary = place;
    this.said.add(index);
    this.reply.reasoning(delta);
  }

  argumentsOf(index: number): CallDraft {
    const draft = this.calls.get(index);
    if (!draft) throw fail('Model.Malformed', 'The endpoint sent arguments of a call that it has not begun. Another attempt may help.');
    return draft;
  }

  added(index: number, item: OutputItem): void {
    if (item.type !== 'function_call' || this.calls.has(index)) return;
    const draft = this.reply.call();
    this.calls.set(index, Object.assign(draft, { id: item.call_id ?? '', name: item.name ?? '', arguments: item.arguments ?? '' }));
  }

  done(index: number, item: OutputItem): void {
    if (item.type === 'function_call') {
      this.added(index, item);
      if (item.arguments) this.argumentsOf(index).arguments = item.arguments;
    } else if (!this.said.has(index)) {
      this.whole(index, item);
    }
  }

  /** The final response repeats everything, by positions of its own: it counts where nothing came before. */
  rest(output: OutputItem[]): void {
    if (this.said.size === 0 && this.calls.size === 0) output.forEach((item, index) => this.done(index, item));
  }

  private whole(index: number, item: OutputItem): void {
    if (item.type === 'message') {
      for (const part of item.content ?? []) {
        if (part.type === 'output_text') this.text(index, part.text);
        else this.refusal(index, part.refusal);
      }
    } else if (item.type === 'reasoning') {
      const parts = item.content?.length ? item.content : (item.summary ?? []);
      parts.forEach((part, number) => this.reasoning(index, part.text, number));
    }
  }
}
