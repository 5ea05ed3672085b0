/** How to answer a request: the commands, ready to be typed, one for each choice that there is. */
import type { Json, JsonObject } from '../../contract/json.js';
import type { RequestView } from '../../contract/request.js';
import { short } from './words.js';

/** The command that gives this answer. */
export type Answering = (answer: string) => string;

export function answersText({ kind, schema }: Pick<RequestView, 'kind' | 'schema'>, command: Answering): string[] {
  const choices = choicesOf(kind, schema);
  const width = Math.max(...choices.map(([label]) => label.length)) + 1;
  const commands = choices.map(([label, answer]) => `${`${label}:`.padEnd(width)}  ${command(answer)}`);
  const isPlain = schema === undefined || kind === 'question' || choices.every(([label]) => label !== 'answer');
  return isPlain ? commands : [`takes: ${short(JSON.stringify(schema), 400)}`, ...commands];
}

/** What somebody has answered, in words: `revise: Cheaper.` */
export function answerText(response: Json): string {
  if (typeof response === 'string') return response;
  if (!isObject(response)) return JSON.stringify(response);
  const { message, decision, feedback, end } = response;
  if (typeof message === 'string') return message;
  const words = [decision, feedback, end === true && 'end'].filter((part) => typeof part === 'string');
  return words.length > 0 ? words.join(': ') : JSON.stringify(response);
}

function choicesOf(kind: string, schema: JsonObject | undefined): [label: string, answer: string][] {
  const forms = formsOf(schema);
  const words = forms.flatMap((form) => textsIn(form.enum)).map((word): [string, string] => [word, word]);
  const revises = forms.some(({ properties }) => isObject(properties) && textsIn(decisionOf(properties)).includes('revise'));
  if (revises) return [...words, ['revise', JSON.stringify({ decision: 'revise', feedback: '…' })]];
  if (words.length > 0) return words;
  const ends =
    kind === 'question' && forms.some(({ properties }) => isObject(properties) && isObject(properties.end) && properties.end.const);
  return [['answer', '…'], ...(ends ? [['end', JSON.stringify({ end: true })] as [string, string]] : [])];
}

/** A schema may be a choice of several. */
function formsOf(schema: JsonObject | undefined): JsonObject[] {
  if (!schema) return [];
  return Array.isArray(schema.anyOf) ? schema.anyOf.filter(isObject) : [schema];
}

function decisionOf({ decision }: JsonObject): Json | undefined {
  return isObject(decision) ? decision.enum : undefined;
}

function textsIn(list: Json | undefined): string[] {
  return Array.isArray(list) ? list.filter((item) => typeof item === 'string') : [];
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
