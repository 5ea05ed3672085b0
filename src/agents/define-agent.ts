import type { z } from 'zod';
import type { AgentDefinition } from '../contract/agent.js';
import type { JsonObject } from '../contract/json.js';
import type { Tool } from '../tools/define-tool.js';

/** As `AgentDefinition`, with tools as values and the schema of the reply in zod. */
export interface AgentOptions extends Omit<AgentDefinition, 'tools' | 'outputSchema'> {
  /** Tools, or names of tools registered with the worker. */
  tools?: (Tool | string)[];
  outputSchema?: z.ZodType | JsonObject;
}

export interface Agent extends Readonly<AgentOptions> {}

/**
 * An agent: instructions, a model, tools.
 *
 * @example
 * const guide = defineAgent({ name: 'guide', instructions: 'You help travellers.', tools: [weather] });
 */
export function defineAgent(options: AgentOptions): Agent {
  return Object.freeze({ ...options });
}
