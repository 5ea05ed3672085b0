/** One classifier for everything that can go wrong between us and a model: whatever a provider throws becomes a `Model.*` failure. */
import { ApplicationFailure } from '@temporalio/common';
import { APIError, OpenAIError } from 'openai';
import { fail, failures, type FailureType } from '../contract/failure.js';
import { readableWords } from './hidden.js';

export interface FailureContext {
  /** For `retry-after` as a date. @default now */
  now?: number;
  /** Keys that must not appear in the message. */
  secrets?: readonly string[];
  /** The conversation as it was sent: where the provider quotes it, the message does not. Asked for only when something failed. */
  prompt?: () => string;
}

/** Turns an error of a model call into a typed failure. One that is typed already stays as it is. */
export function toModelFailure(error: unknown, context: FailureContext = {}): ApplicationFailure {
  const typed = typedFailure(error);
  if (typed) return typed;
  const facts = factsOf(error);
  const { type, advice, final } = judge(facts);
  const retryAfter = failures[type].retryable && !final ? retryAfterOf(facts.headers, context.now ?? Date.now()) : undefined;
  const words = readableWords(facts.words, context);
  // No cause: an SDK error holds bodies, headers and sometimes the key, and Temporal writes causes into history.
  return fail(type, words === '' ? advice : `${advice} The provider says: ${words}`, {
    details: [{ status: facts.status, code: facts.code, requestId: facts.requestId }],
    ...(retryAfter !== undefined && { retryAfter }),
    ...(final && { final }),
  });
}

interface Facts {
  status?: number;
  code?: string;
  requestId?: string;
  headers?: Headers;
  words: string;
  malformed?: boolean;
}

interface Verdict {
  type: FailureType;
  /** What happened and what to do next. */
  advice: string;
  final?: boolean;
}

const maxRetryAfterMs = 5 * 60_000;
const quotaCodes = /^(insufficient_quota|billing_hard_limit_reached|billing_not_active)$/;
const contextCodes = /context_length_exceeded|exceed_context_size|context_window_exceeded|string_above_max_length/;
const contextWords =
  /maximum context length|context (length|window|size)[^.]{0,40}exceed|exceed[^.]{0,60}context (length|window|size)|prompt is too long|input is too long|too many (input )?tokens/i;
/** Codes that say so without a status: a failed stream has none. */
const refusedCodes =
  /^(invalid_|image_|unsupported_|empty_image|content_filter|content_policy|bio_policy|data_residency|model_not_found|authentication|permission|unauthorized)/;

function judge({ status, code = '', words, headers, malformed }: Facts): Verdict {
  if (malformed)
    return {
      type: 'Model.Malformed',
      advice: 'The endpoint sent something that does not follow its protocol. Check that the base URL is that of an OpenAI-compatible API.',
    };
  const at = status === undefined ? '' : ` (${status})`;
  const tooLong = contextCodes.test(code) || status === 413 || (status !== 429 && contextWords.test(words));
  if (tooLong)
    return {
      type: 'Model.ContextLength',
      advice: `The conversation is longer than the model can read${at}. Use a model that reads more, or start a new conversation.`,
    };
  if (quotaCodes.test(code))
    return {
      type: 'Model.Refused',
      advice: `The account at the provider has no credit left${at}. Waiting does not help: add credit, or use another provider.`,
    };

  const shouldRetry = headers?.get('x-should-retry');
  const verdict = byStatus(status, code, at);
  if (shouldRetry === 'false') return { ...verdict, final: true };
  if (shouldRetry === 'true' && !failures[verdict.type].retryable)
    return { type: 'Model.Unavailable', advice: `The provider failed${at} and says that another attempt may help.` };
  return verdict;
}

function byStatus(status: number | undefined, code: string, at: string): Verdict {
  if (status === 429 || (status === undefined && code.startsWith('rate_limit'))) {
    return {
      type: 'Model.RateLimited',
      advice: `The provider asks us to wait${at}. If it stays so, lower the provider's calls per second.`,
    };
  }
  if (status === undefined) {
    if (refusedCodes.test(code))
      return { type: 'Model.Refused', advice: `The provider refuses the request (${code}). Change what is asked.` };
    return { type: 'Model.Unavailable', advice: 'The provider could not be reached, or broke off. Check the base URL and the network.' };
  }
  if (status === 408 || status === 409 || status >= 500)
    return { type: 'Model.Unavailable', advice: `The provider failed${at}. Another attempt may help.` };
  if (status === 401 || status === 403)
    return { type: 'Model.Refused', advice: `The provider does not accept our credentials${at}. Check the API key of this provider.` };
  if (status === 404)
    return {
      type: 'Model.Refused',
      advice: `The provider does not know this model or address${at}. Check the name of the model and the base URL.`,
    };
  return { type: 'Model.Refused', advice: `The provider refuses the request${at}. Change what is asked: another attempt does not help.` };
}

function factsOf(error: unknown): Facts {
  if (error instanceof APIError) {
    const { code, type, message } = bodyOf(error.error);
    // Some gateways put the HTTP status into the code of an error that they send inside a stream.
    const status = error.status ?? statusFrom(error.code);
    return {
      ...(status !== undefined && { status: status as number }),
      ...((code ?? type) !== undefined && { code: code ?? type }),
      ...(error.requestID && { requestId: error.requestID }),
      ...(error.headers && { headers: error.headers as Headers }),
      words: message ?? (error.error === undefined ? wordsOf(error) : ''),
    };
  }
  if (error instanceof SyntaxError) return { words: '', malformed: true };
  if (error instanceof OpenAIError) return { words: error.message, malformed: true };
  return { words: wordsOf(error) };
}

/** What is known of an error body: only its code, type and message. The rest may quote the request. */
function bodyOf(body: unknown): { code?: string; type?: string; message?: string } {
  if (typeof body === 'string') return { message: body };
  if (typeof body !== 'object' || body === null) return {};
  const { code, type, message } = body as Record<string, unknown>;
  return {
    ...((typeof code === 'string' || typeof code === 'number') && { code: String(code) }),
    ...(typeof type === 'string' && { type }),
    ...(typeof message === 'string' && { message }),
  };
}

/** The message of an error and of what caused it: "fetch failed" alone helps nobody. */
function wordsOf(error: unknown): string {
  const words: string[] = [];
  for (let e: unknown = error, depth = 0; e instanceof Error && depth < 4; e = e.cause, depth++) {
    const { code } = e as { code?: unknown };
    const said = typeof code === 'string' && !e.message.includes(code) ? `${e.message} ${code}`.trim() : e.message;
    if (said !== '' && !words.some((earlier) => earlier.includes(said))) words.push(said);
  }
  return words.join(': ');
}

function statusFrom(code: unknown): number | undefined {
  const status = Number(code);
  return Number.isInteger(status) && status >= 400 && status < 600 ? status : undefined;
}

/** Milliseconds to wait: `retry-after-ms`, else `retry-after` in seconds or as a date. */
function retryAfterOf(headers: Headers | undefined, now: number): number | undefined {
  const ms = numberFrom(headers?.get('retry-after-ms'));
  const seconds = numberFrom(headers?.get('retry-after'));
  const date = Date.parse(headers?.get('retry-after') ?? '');
  const wait = ms ?? (seconds !== undefined ? seconds * 1000 : date - now);
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(Math.ceil(wait), 0), maxRetryAfterMs);
}

function numberFrom(header: string | null | undefined): number | undefined {
  if (header === null || header === undefined || header.trim() === '') return undefined;
  const value = Number(header);
  return Number.isFinite(value) ? value : undefined;
}

function typedFailure(error: unknown): ApplicationFailure | undefined {
  for (let e: unknown = error, depth = 0; e instanceof Error && depth < 4; e = e.cause, depth++) {
    if (e instanceof ApplicationFailure) return e;
  }
  return undefined;
}
