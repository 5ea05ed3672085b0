/** A person who is used as a tool: what the model is told about it. */
import type { ToolSpec } from '../contract/agent.js';
import type { QuestionOptions } from '../contract/approval.js';
import type { JsonObject } from '../contract/json.js';

export function questionOf(given: true | QuestionOptions): { call: string; spec: ToolSpec; patience: QuestionOptions } {
  const { name = 'ask_person', description, ...patience } = given === true ? {} : given;
  return { call: name, spec: { name, description: description ?? standard, parameters }, patience };
}

const standard = 'Asks a person, and returns the answer. Use it when only a person can know or decide. It may take long.';

const parameters: JsonObject = {
  type: 'object',
  properties: {
    question: { type: 'string', description: 'Everything the person has to know: they may have read nothing else.' },
    choices: {
      type: 'array',
      items: { type: 'string' },
      description: 'The answers that are possible. Leave it out for an answer in words.',
    },
  },
  required: ['question'],
  additionalProperties: false,
};
