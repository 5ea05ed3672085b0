import type { z } from 'zod';
import type { ApprovalOptions } from '../contract/approval.js';
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
  /**
   * A person decides whether a call is carried out: each, or where `when` does not return `false` for its arguments. Arguments that do not
   * fit `input` are refused without asking anybody; a `when` that throws or takes more than five seconds means that it has to be approved.
   * @default nobody is asked
   */
  approval?: true | ApprovalOptions<string | Predicate<z.output<Input>>>;
  /**
   * With `retry: 'none'`, when a call was lost and nobody knows whether it took effect: the model is told, or a person is asked, who may also
   * have it tried again. @default 'ask' with `approval`, otherwise 'tell'
   */
  onUnknownOutcome?: 'tell' | 'ask';
}

/** Whether somebody has to approve a call with these arguments. A method, so that a tool of any input is a tool. */
type Predicate<Input> = { when(input: Input): boolean | Promise<boolean> }['when'];
export type ToolPredicate = Predicate<never>;

export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodType;
  readonly run: (input: never, context: ToolContext) => unknown;
  readonly timeout?: Span;
  readonly retry?: 'none' | number;
  readonly approval?: true | ApprovalOptions<string | ToolPredicate>;
  readonly onUnknownOutcome?: 'tell' | 'ask';
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
