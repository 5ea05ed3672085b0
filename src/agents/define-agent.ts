import type { z } from 'zod';
import type { AgentDefinition } from '../contract/agent.js';
import type { ApprovalOptions, QuestionOptions } from '../contract/approval.js';
import type { Compaction, FunctionPolicy } from '../contract/compaction.js';
import type { JsonObject } from '../contract/json.js';
import type { RegisteredFunction } from '../functions/define-function.js';
import type { Tool } from '../tools/define-tool.js';
import type { Orchestration } from './define-orchestration.js';

/** As `AgentDefinition`, with tools and functions as values and the schema of the reply in zod. */
export interface AgentOptions extends Omit<AgentDefinition, 'tools' | 'outputSchema' | 'compaction'> {
  /**
   * Tools, or names of tools registered with the worker; `{ tool, approval }` is one whose calls a person is to approve. `{ agent }` and
   * `{ orchestration }` are asked by a call `ask_<name>`, `{ person }` by a call `ask_person`.
   */
  tools?: (
    | Tool
    | string
    | { tool: Tool | string; approval?: true | ApprovalOptions<RegisteredFunction | string> }
    | { agent: Agent | string }
    | { orchestration: Orchestration | string }
    | { person: true | QuestionOptions }
  )[];
  outputSchema?: z.ZodType | JsonObject;
  /** How much it hears of a conversation that has grown long. See `Compaction`. */
  compaction?: Exclude<Compaction, FunctionPolicy> | (Omit<FunctionPolicy, 'function'> & { function: RegisteredFunction | string });
}

export interface Agent extends Readonly<AgentOptions> {}

/**
 * An agent: instructions, a model, tools.
 *
 * @example
 * const guide = defineAgent({ name: 'guide', instructions: 'You help travellers.', tools: [weather] });
 */
export function defineAgent(options: AgentOptions): Agent {
  const agent = Object.freeze({ ...options });
  made.add(agent);
  return agent;
}

const made = new WeakSet<object>();

/** Was it made by `defineAgent`, and not read from a document? */
export function isAgent(value: unknown): value is Agent {
  return typeof value === 'object' && value !== null && made.has(value);
}
