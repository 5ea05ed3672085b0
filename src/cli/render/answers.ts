/** How to answer a request: the commands, ready to be typed, one for each choice that there is. */
import type { Json, JsonObject } from '../../contract/json.js';
import type { RequestView } from '../../contract/request.js';
import { waysOf, type Way } from '../chat/ways.js';
import { short } from './words.js';

/** The command that gives this answer. */
export type Answering = (answer: string) => string;

/** What follows `respond <run>`. Where only some may answer, it has to be said that it is one of them. */
export function respondWords({ requestId, assignee: [who] = [] }: Pick<RequestView, 'requestId' | 'assignee'>, answer: string): string[] {
  return [requestId, answer, ...(who === undefined ? [] : ['--by', who])];
}

const mostChoices = 20;

export function answersText({ schema }: Pick<RequestView, 'schema'>, command: Answering): string[] {
  const ways = waysOf(schema);
  const isOpen = ways.some((way) => !('label' in way) || way.label === '');
  const choices: [label: string, answer: string][] = [...(isOpen ? [['answer', '…'] as [string, string]] : []), ...ways.flatMap(choiceOf)];
  const width = Math.max(...choices.map(([label]) => label.length)) + 1;
  const commands = choices.slice(0, mostChoices).map(([label, answer]) => `${`${label}:`.padEnd(width)}  ${command(answer)}`);
  const isPlain = !isOpen || ways.some(({ kind }) => kind === 'words');
  return isPlain ? commands : [`takes: ${short(JSON.stringify(schema), 400)}`, ...commands];
}

/** A choice that may be given with more words is there without them already. */
function choiceOf(way: Way): [label: string, answer: string][] {
  if (way.kind === 'choice') return [[way.label, typeof way.value === 'string' ? way.value : JSON.stringify(way.value)]];
  if (way.kind !== 'form' || way.label === '' || way.label.includes(' with ')) return [];
  const [first] = way.fields;
  return [[way.label, JSON.stringify({ ...way.fixed, ...(first && { [first.name]: '…' }) })]];
}

/** What somebody has answered, in words: `revise: Cheaper.`, `approve {"arguments":{"amount":200}}` */
export function answerText(response: Json): string {
  if (typeof response === 'string') return response;
  if (!isObject(response)) return JSON.stringify(response);
  const { message, decision, feedback, end, ...more } = response;
  if (typeof message === 'string') return message;
  const words = [decision, feedback, end === true && 'end'].filter((part) => typeof part === 'string');
  if (words.length === 0) return JSON.stringify(response);
  return `${words.join(': ')}${Object.keys(more).length > 0 ? ` ${JSON.stringify(more)}` : ''}`;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
