/** A model for tests: a real HTTP endpoint that says what a script tells it to, and remembers everything that it was asked. */
import { AssertionError } from 'node:assert';
import { EventEmitter, once } from 'node:events';
import { serveModel, type HttpModelFault, type HttpModelMessage, type HttpModelReply, type HttpModelRequest } from '../llm/http-model.js';
import type { ProviderSettings, ProvidersOptions } from '../llm/providers.js';

/** A text, a reply with tool calls, usage and the like, or a way to fail. */
export type ScriptedReply = string | HttpModelReply | HttpModelFault;

/** What is said to one call, or a function that decides it from what the call heard. */
export type ScriptLine = ScriptedReply | ((call: ScriptedCall) => ScriptedReply | Promise<ScriptedReply>);

/** Lines in the order of the calls, or one function for all of them. */
export type ScriptPart = ScriptLine[] | ((call: ScriptedCall) => ScriptedReply | Promise<ScriptedReply>);

/** A script for every call, or one for each model: give agents different model names to tell them apart. */
export type Script = ScriptPart | { [model: string]: ScriptPart };

/** A request as the model received it. */
export interface ScriptedCall extends HttpModelRequest {
  /** The system prompt. */
  readonly instructions: string;
  /**
   * Was this said to the model? With one argument: anywhere in the conversation. With two: by that author. Agents and people with a
   * name are heard under it, others as `user`, the model's own words as `assistant`, tools as `tool`.
   */
  heard(text: string): boolean;
  heard(author: string, text: string): boolean;
}

export interface ScriptedModelOptions {
  /** @default a free one */
  port?: number;
}

export interface ScriptedModel {
  /** For any OpenAI client. */
  readonly baseURL: string;
  /** Every request so far, in order. */
  readonly calls: ScriptedCall[];
  /** Resolves when so many calls have come in. */
  called(count: number): Promise<void>;
  /** Resolves when the client has gone away from so many calls before they were answered. */
  aborted(count: number): Promise<void>;
  /** Settings of a provider that speaks to this model. */
  provider(settings?: Partial<ProviderSettings>): ProviderSettings;
  /** The same as the only provider of a worker. */
  providers(settings?: Partial<ProviderSettings>): ProvidersOptions;
  /** @throws AssertionError when lines are left, or when there were more calls than lines. */
  assertComplete(): void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Serves a script on 127.0.0.1. A call beyond its end is refused for good (status 400), so that a test fails instead of waiting.
 *
 * @example
 * await using model = await scriptedModel({
 *   writer: [{ calls: [{ name: 'weather', arguments: { city: 'Oslo' } }] }, 'It rains in Oslo.'],
 *   editor: [{ status: 503 }, (call) => (call.heard('writer', 'rains') ? 'Oslo: rain.' : 'Nothing to edit.')],
 * });
 * const worker = await startWorker({ agents: [writer, editor], providers: model.providers() });
 * // … run the orchestration …
 * model.assertComplete();
 */
export async function scriptedModel(script: Script, options: ScriptedModelOptions = {}): Promise<ScriptedModel> {
  const calls: ScriptedCall[] = [];
  const beyond: string[] = [];
  const happened = new EventEmitter();
  let gone = 0;
  const lines = new Map(
    Object.entries(isPart(script) ? { '': script } : script).map(([model, part]) => [model, Array.isArray(part) ? [...part] : part]),
  );
  const modelOf = (request: HttpModelRequest) => (isPart(script) ? '' : request.model);

  const server = await serveModel(async (request) => {
    const call = scriptedCall(request);
    request.signal.addEventListener('abort', () => happened.emit('change', (gone += 1)), { once: true });
    calls.push(call);
    happened.emit('change');
    const part = lines.get(modelOf(request));
    const line = Array.isArray(part) ? part.shift() : part;
    if (line === undefined) {
      const problem = part
        ? `The script has no reply left for call ${calls.length}, of model "${request.model}".`
        : `The script has no part for model "${request.model}".`;
      beyond.push(problem);
      return refusal(`${problem} Add one, or find out why it was called.`);
    }
    try {
      const reply = typeof line === 'function' ? await line(call) : line;
      return typeof reply === 'string' ? { text: reply } : reply;
    } catch (error) {
      const problem = `The script failed at call ${calls.length}: ${error instanceof Error ? error.message : String(error)}`;
      beyond.push(problem);
      return refusal(problem);
    }
  }, options);

  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await once(happened, 'change');
  };
  const provider = (settings: Partial<ProviderSettings> = {}) => ({ baseURL: server.baseURL, apiKey: () => 'scripted', ...settings });
  return {
    baseURL: server.baseURL,
    calls,
    called: (count) => until(() => calls.length >= count),
    aborted: (count) => until(() => gone >= count),
    provider,
    providers: (settings) => ({ default: provider(settings), defaultModel: 'scripted' }),
    assertComplete() {
      const left = [...lines].flatMap(([model, part]) =>
        Array.isArray(part) && part.length > 0 ? [`${part.length} of the replies${model && ` of "${model}"`} were never asked for.`] : [],
      );
      const problems = [...beyond, ...left];
      if (problems.length > 0)
        throw new AssertionError({ message: `The script was not followed after ${calls.length} calls. ${problems.join(' ')}` });
    },
    close: server.close,
    [Symbol.asyncDispose]: server.close,
  };
}

function isPart(script: Script): script is ScriptPart {
  return Array.isArray(script) || typeof script === 'function';
}

function scriptedCall(request: HttpModelRequest): ScriptedCall {
  return {
    ...request,
    instructions: request.messages
      .filter(({ role }) => role === 'system')
      .map(({ content }) => content)
      .join('\n'),
    heard(...args: [string] | [string, string]): boolean {
      const text = args.at(-1) ?? '';
      const author = args.length === 2 ? args[0] : undefined;
      return request.messages.some((message) => message.content.includes(text) && (author === undefined || author === authorOf(message)));
    },
  };
}

function authorOf({ role, content }: HttpModelMessage): string {
  return (role === 'user' && /^\[([^\]\n]+)\]\n/.exec(content)?.[1]) || role;
}

function refusal(message: string): HttpModelFault {
  return { status: 400, headers: { 'x-should-retry': 'false' }, body: { error: { message, type: 'script', code: 'script' } } };
}
