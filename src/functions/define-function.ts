import type { Message } from '../contract/message.js';
import type { Notice } from '../contract/notice.js';

/** What a registered function is given besides its input. */
export interface FunctionContext {
  /** The same for every attempt of the same call: same key, same effect. Unique across runs. */
  idempotencyKey: string;
  /** From 1. */
  attempt: number;
  /** Aborted when the run is cancelled, the attempt times out or the worker shuts down. */
  signal: AbortSignal;
  /** Workflow id of the run. */
  runId: string;
  /** Everything that was said to everybody, from the beginning. */
  messages(): Promise<Message[]>;
}

export interface FunctionOptions<Input> {
  /** `^[A-Za-z][A-Za-z0-9_-]{0,63}$` */
  name: string;
  description?: string;
  /** Returns JSON. What it throws fails the run: `Function.Failed`. */
  run: (input: Input, context: FunctionContext) => unknown;
}

export interface RegisteredFunction {
  readonly name: string;
  readonly description?: string;
  readonly run: (input: never, context: FunctionContext) => unknown;
}

export interface NotifyContext {
  /** Aborted after ten seconds, and when the worker shuts down. */
  signal: AbortSignal;
}

/**
 * Tells somebody of a request, in whatever way: an e-mail, a message in a chat. What it throws is tried again, for a day. It may get a notice
 * twice: `notice.id` is the same then.
 */
export type NotifyFunction = (notice: Notice, context: NotifyContext) => unknown;

/**
 * Code of your own that decides or transforms: a condition, a manager, an aggregator, a transform. Patterns name it; it runs in an activity.
 *
 * @example
 * const longest = defineFunction<{ results: { output?: string }[] }>({
 *   name: 'longest',
 *   run: ({ results }) => results.map(({ output = '' }) => output).sort((a, b) => b.length - a.length)[0],
 * });
 */
export function defineFunction<Input>(options: FunctionOptions<Input>): RegisteredFunction {
  const made = Object.freeze({ ...options }) as RegisteredFunction;
  all.add(made);
  return made;
}

const all = new WeakSet<object>();

/** Was it made by `defineFunction`, and not read from a document? */
export function isFunction(value: unknown): value is RegisteredFunction {
  return typeof value === 'object' && value !== null && all.has(value);
}
