import type { z } from 'zod';
import type { Json, Span } from '../contract/json.js';

/** What a tool's function is given besides its arguments. */
export interface ToolContext {
  /** The same for every attempt of the same call: same key, same effect. Unique across runs. */
  idempotencyKey: string;
  /** From 1. */
  attempt: number;
  /** Aborted when the run is cancelled, the attempt times out or the worker shuts down. */
  signal: AbortSignal;
  /** Workflow id of the run. */
  runId: string;
  agent: string;
  callId: string;
  /** Tells watchers how far it is. */
  progress(value: Json): void;
}

export interface ToolOptions<Input extends z.ZodType> {
  /** `^[A-Za-z][A-Za-z0-9_-]{0,63}$` */
  name: string;
  /** For the model: what it does and when to use it. */
  description: string;
  /** What the model must send. Its JSON schema is what the model is told. */
  input: Input;
  /** Its result is what the model sees: text as it is, anything else as JSON. What it throws is shown to the model as well. */
  run: (input: z.output<Input>, context: ToolContext) => unknown;
  /** Per attempt. @default '5 minutes' */
  timeout?: Span;
  /**
   * What happens when `run` throws or its worker is lost. `'none'`: it is started at most once, and an unknown outcome is reported
   * to the model. A number: attempts in all, under the same idempotency key.
   * @default tried again only when its worker was lost or it timed out
   */
  retry?: 'none' | number;
}

export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodType;
  readonly run: (input: never, context: ToolContext) => unknown;
  readonly timeout?: Span;
  readonly retry?: 'none' | number;
}

/**
 * A tool that agents may use: zod input and a function.
 *
 * @example
 * const weather = defineTool({
 *   name: 'weather',
 *   description: 'Current weather of a city.',
 *   input: z.object({ city: z.string() }),
 *   run: async ({ city }) => ({ city, conditions: 'sunny' }),
 * });
 */
export function defineTool<Input extends z.ZodType>(options: ToolOptions<Input>): Tool {
  return Object.freeze({ ...options }) as Tool;
}
