import type { z } from 'zod';
import type { Json, JsonObject } from '../contract/json.js';
import type { AgentReference, PatternName, PatternOptions } from '../contract/pattern.js';
import type { InputShape, OutputShape, RunFrame } from '../contract/run.js';
import type { RegisteredFunction } from '../functions/define-function.js';
import type { Agent } from './define-agent.js';

/** In code, agents and functions may be given as values wherever a document names them. */
type AgentValue = AgentReference | Agent;
type FunctionValue = string | RegisteredFunction;

/** A pattern over agents under a name of its own: everything a run needs but the task. */
export interface OrchestrationOptions<
  P extends PatternName = PatternName,
  Input extends z.ZodType = z.ZodType<Json>,
  Output extends z.ZodType = z.ZodType<Json>,
> extends Omit<RunFrame<AgentValue, FunctionValue>, 'input' | 'output'> {
  /** `^[A-Za-z][A-Za-z0-9_-]{0,63}$`, not a pattern's name and no agent's. */
  name: string;
  description?: string;
  pattern: P;
  /** Those who take turns: agents and orchestrations, or names of them that are registered with the worker. */
  agents: (Agent | Orchestration | string)[];
  options?: PatternOptions<AgentValue, FunctionValue>[P];
  /** How a task of this schema becomes messages; the schema alone: as JSON. */
  input?: Input | (Omit<InputShape<FunctionValue>, 'schema'> & { schema?: Input | JsonObject });
  /** What the output has to be; the schema alone: the last reply is read as JSON of that form. */
  output?: Output | (Omit<OutputShape<AgentValue, FunctionValue>, 'schema'> & { schema?: Output | JsonObject });
}

/** Where no zod schema says what it is, it is JSON. */
type ResultOf<Output extends z.ZodType> = unknown extends z.output<Output> ? Json : z.output<Output>;

/** What `defineOrchestration` returns. Its types say what `start` takes and what `result` gives. */
export interface Orchestration<P extends PatternName = PatternName, Task = unknown, Result = unknown> extends Readonly<
  Omit<OrchestrationOptions<P, z.ZodType, z.ZodType>, 'agents'>
> {
  readonly agents: (Agent | Orchestration | string)[];
  /** Of types only. */
  readonly types?: { task: Task; result: Result };
}

/**
 * An orchestration: a pattern over agents, started by name.
 *
 * @example
 * const article = defineOrchestration({ name: 'article', pattern: 'sequential', agents: [analyst, writer, editor] });
 */
export function defineOrchestration<P extends PatternName, Input extends z.ZodType = z.ZodType<Json>>(
  // What a function makes of an output is any JSON, whatever the schema of what it was given.
  options: OrchestrationOptions<P, Input, z.ZodType> & { output: { transform: FunctionValue } },
): Orchestration<P, z.input<Input>, Json>;
export function defineOrchestration<
  P extends PatternName,
  Input extends z.ZodType = z.ZodType<Json>,
  Output extends z.ZodType = z.ZodType<Json>,
>(options: OrchestrationOptions<P, Input, Output>): Orchestration<P, z.input<Input>, ResultOf<Output>>;
export function defineOrchestration<
  P extends PatternName,
  Input extends z.ZodType = z.ZodType<Json>,
  Output extends z.ZodType = z.ZodType<Json>,
>(options: OrchestrationOptions<P, Input, Output>): Orchestration<P, z.input<Input>, ResultOf<Output>> {
  return Object.freeze({ ...options }) as unknown as Orchestration<P, z.input<Input>, ResultOf<Output>>;
}
