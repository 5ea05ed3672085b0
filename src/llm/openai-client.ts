/** The `openai` client as we use it: one attempt per call, settings from our configuration alone, nothing printed. */
import { OpenAI } from 'openai';
import { fail } from '../contract/failure.js';

/** An OpenAI-compatible endpoint. */
export interface Endpoint {
  /** @default 'https://api.openai.com/v1' */
  baseURL?: string;
  /** A function is asked before every call, so that a key can change. Empty for endpoints that want none. */
  apiKey: string | (() => string);
  /** Sent with every request. */
  headers?: { [name: string]: string };
  /** @default the global `fetch` */
  fetch?: typeof fetch;
  /** A call that is silent for so long is given up as `Model.Unavailable`. @default 300000, which is also the most that Node's `fetch` waits */
  timeoutMs?: number;
}

export const defaultTimeoutMs = 5 * 60_000;

export function openaiClient(endpoint: Endpoint): OpenAI {
  return new OpenAI({
    baseURL: endpoint.baseURL ?? 'https://api.openai.com/v1',
    apiKey: async () => keyOf(endpoint) || 'none',
    // Set, or the client takes them from the environment and sends them to any endpoint.
    adminAPIKey: null,
    organization: null,
    project: null,
    ...(endpoint.headers && { defaultHeaders: endpoint.headers }),
    fetch: withReadableErrors(endpoint.fetch ?? fetch),
    timeout: endpoint.timeoutMs ?? defaultTimeoutMs,
    maxRetries: 0,
    // It prints what it cannot parse, and that is what the model said.
    logLevel: 'off',
  });
}

export function keyOf(endpoint: Endpoint): string {
  try {
    return (typeof endpoint.apiKey === 'string' ? endpoint.apiKey : endpoint.apiKey()).trim();
  } catch {
    throw fail('Model.Refused', 'The API key of this provider could not be read. Check its configuration.');
  }
}

/**
 * The client reads only error bodies of the form `{ error: … }`. Compatible endpoints also send `{ message }`, `{ detail }` or
 * `[{ error }]`, and what they say decides whether another attempt makes sense.
 */
function withReadableErrors(request: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await request(input, init);
    if (response.ok) return response;
    const text = await response.text();
    return new Response(normalised(text) || null, { status: response.status, headers: plainHeaders(response.headers) });
  };
}

function normalised(text: string): string {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return text;
  }
  const first: unknown = Array.isArray(body) ? body[0] : body;
  if (typeof first !== 'object' || first === null) return JSON.stringify({ error: { message: text } });
  if ('error' in first) {
    const { error } = first;
    return JSON.stringify({ error: typeof error === 'string' ? { ...first, error: undefined, message: error } : error });
  }
  const { detail } = first as { detail?: unknown };
  return JSON.stringify({ error: typeof detail === 'string' ? { ...first, message: detail } : first });
}

/** The text is already decoded. */
function plainHeaders(headers: Headers): Headers {
  const plain = new Headers(headers);
  plain.delete('content-encoding');
  plain.delete('content-length');
  return plain;
}
