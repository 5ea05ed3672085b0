/** An agent or an orchestration that is used as a tool: what the model is told about it, and what the run does when it is called. */
import type { NestedRun, ToolSpec } from '../contract/agent.js';
import { isObject } from '../contract/schema-words.js';
import type { JsonObject } from '../contract/json.js';
import type { InputShape } from '../contract/run.js';

/** Names of tools that providers take. */
const longestCall = 64;

export function delegateOf(
  nested: NestedRun,
  description = '',
  input?: InputShape,
): { delegate: NestedRun; spec: ToolSpec; problem?: string } {
  const { name } = nested;
  const call = `ask_${name}`;
  const schema = input?.schema;
  // A task of its own form is what the call says, or a text in it.
  const takes = schema && isObject(schema.properties) ? 'arguments' : 'text';
  return {
    delegate: { ...nested, ...(input && { takes }) },
    spec: {
      name: call,
      description: `Asks ${name}, and returns the answer. ${description}`.trim(),
      parameters: schema && takes === 'arguments' ? schema : parameters,
    },
    ...(call.length > longestCall && { problem: `would be called ${call}, and providers take ${longestCall} characters; rename it` }),
  };
}

/** What an agent that asks another has to say. */
const parameters: JsonObject = {
  type: 'object',
  properties: { message: { type: 'string', description: 'Everything it has to know: it hears nothing else.' } },
  required: ['message'],
  additionalProperties: false,
};
