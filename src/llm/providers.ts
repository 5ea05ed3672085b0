/** The worker's model providers, built from its configuration. */
import { fail } from '../contract/failure.js';
import { openaiChat } from './openai-chat.js';
import { openaiResponses } from './openai-responses.js';
import type { ModelProvider, ModelProviders, ProviderEntry } from './provider.js';

/** One provider as configured. */
export interface ProviderSettings {
  /** @default 'https://api.openai.com/v1' */
  baseURL?: string;
  /** Asked before every call, never kept. */
  apiKey: () => string;
  /** @default 'chat' */
  api?: 'chat' | 'responses';
  headers?: { [name: string]: string };
  /** See `OpenAIChatOptions`. */
  streamUsage?: boolean;
  /** See `OpenAIChatOptions`. */
  maxTokensField?: 'max_completion_tokens' | 'max_tokens';
  /** Calls started per second, all workers together. @default no limit */
  maxCallsPerSecond?: number;
  /** Calls at the same time, all workers together. @default no limit */
  maxConcurrentCalls?: number;
}

/** Settings, or a provider of one's own, with limits or without. */
export type ProviderSource = ProviderSettings | ModelProvider | ProviderEntry;

export interface ProvidersOptions {
  /** For models without a provider's name. */
  default?: ProviderSource;
  /** By the name that stands before the `/` of an agent's model. */
  named?: { [name: string]: ProviderSource };
  /** The model of agents that name none; `provider/model` works here too. */
  defaultModel: string;
}

/** Name of the provider of models without a provider's name. */
export const defaultProviderName = 'default';

export function createProviders({ default: standard, named = {}, defaultModel }: ProvidersOptions): ModelProviders {
  const sources = Object.entries({ ...named, ...(standard && { [defaultProviderName]: standard }) });
  const entries = new Map(sources.map(([name, source]) => [name, entryOf(source)]));
  return {
    entries,
    defaultModel,
    resolve(wanted = defaultModel) {
      const slash = wanted.indexOf('/');
      const prefix = slash === -1 ? undefined : wanted.slice(0, slash);
      const named = prefix === undefined ? undefined : entries.get(prefix);
      if (prefix !== undefined && named) return { providerName: prefix, entry: named, model: wanted.slice(slash + 1) };
      const entry = entries.get(defaultProviderName);
      if (entry) return { providerName: defaultProviderName, entry, model: wanted };
      throw fail(
        'Input.Invalid',
        `No provider here serves the model "${wanted}". Write it as provider/model with one of: ${[...entries.keys()].join(', ') || 'none is configured'}.`,
      );
    },
  };
}

function entryOf(source: ProviderSource): ProviderEntry {
  if ('complete' in source) return { provider: source };
  if ('provider' in source) return source;
  const { api, maxCallsPerSecond, maxConcurrentCalls, ...endpoint } = source;
  return {
    provider: api === 'responses' ? openaiResponses(endpoint) : openaiChat(endpoint),
    ...(maxCallsPerSecond !== undefined && { maxCallsPerSecond }),
    ...(maxConcurrentCalls !== undefined && { maxConcurrentCalls }),
  };
}
