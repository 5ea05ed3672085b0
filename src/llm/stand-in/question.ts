/** A question that wants one JSON object: its words, its schema, and what was said before it. */
import type { Json, JsonObject } from '../../contract/json.js';
import type { HttpModelMessage } from '../http-model.js';
import { objectOf, type Option } from './deciding.js';
import { talkOf, type Line } from './talk.js';

export interface Question {
  text: string;
  schema: JsonObject;
  instructions: string;
  /** What was said before it was asked. */
  lines: Line[];
}

const mark = /Answer with one JSON object and nothing else\. It has to fit this JSON schema:/;

/** Asked anew after a wrong answer it is the same question. */
export function questionIn(messages: HttpModelMessage[], schema: JsonObject): Question | undefined {
  if (!mark.test(messages.filter(({ role }) => role === 'user').at(-1)?.content ?? '')) return undefined;
  const at = messages.findIndex(({ role, content }) => role === 'user' && mark.test(content));
  const system = messages.filter(({ role }) => role === 'system');
  return {
    text: (messages[at]?.content ?? '').split(mark)[0]?.trim() ?? '',
    schema,
    instructions: system.map(({ content }) => content).join('\n'),
    lines: talkOf(messages.slice(0, at)),
  };
}

/** What the question says of it: `- name: description`. */
export function optionOf(name: string, { text }: Question): Option {
  const line = text.split('\n').find((one) => one === `- ${name}` || one.startsWith(`- ${name}:`));
  return { name, about: line?.slice(name.length + 3).trim() ?? '' };
}

/** Only where the schema knows of it. */
export function given({ schema }: Question, name: string, value: Json): JsonObject {
  return name in objectOf(schema['properties']) ? { [name]: value } : {};
}

export function enumOf(schema: Json | undefined): string[] | undefined {
  const values = objectOf(schema)['enum'];
  return Array.isArray(values) ? values.filter((value) => typeof value === 'string') : undefined;
}
