/** What a person is asked, for that person. */
import type { RequestView } from '../../contract/request.js';
import { printable, type Style } from '../terminal.js';
import { answersText, answerText, type Answering } from './answers.js';
import { ago, short } from './words.js';

/** Characters of a prompt; the transcript has it all. */
const longestPrompt = 8000;
const longestArguments = 2000;

export function requestText(request: RequestView, style: Style, command: Answering): string {
  const { requestId, kind, agent, createdAt, status, by, response } = request;
  const asked = [`${kind}${agent ? ` from ${agent}` : ''}`, ago(createdAt), ...forWhom(request)].map(printable).join(', ');
  const outcome = `${status}${by ? ` by ${printable(by)}` : ''}${response === undefined ? '' : `: ${printable(short(answerText(response), 200))}`}`;
  return [
    `${style.bold(printable(requestId))}  ${style.dim(asked)}`,
    ...askedText(request, style),
    ...(status === 'pending' ? answersText(request, command) : [outcome]).map((row) => style.dim(printable(row))),
  ].join('\n');
}

/** What it is about, and what is asked; `prompt`: where a part of it is on the screen already. */
export function askedText({ call, ...request }: RequestView, style: Style, prompt = request.prompt): string[] {
  const given = JSON.stringify(call?.arguments ?? {}, undefined, 2);
  const words = prompt.length > longestPrompt ? `${prompt.slice(0, longestPrompt)}…` : prompt;
  return [
    ...(words.trim() === '' ? [] : [printable(words).trimEnd()]),
    // Approvals have the arguments in their words already.
    ...(call && !prompt.includes(given) ? [style.dim(printable(`→ ${call.tool} ${clip(given)}`))] : []),
  ];
}

/** `for anna or ben`, `for finance`, `until 2026-03-01T10:00:00Z` */
export function forWhom({ assignee, role, expiresAt }: RequestView): string[] {
  const whom = assignee?.slice(0, 10).map((name) => short(name, 100));
  return [
    ...(whom ? [`for ${whom.join(' or ')}${role ? ` (${short(role, 100)})` : ''}`] : role ? [`for ${short(role, 100)}`] : []),
    ...(expiresAt ? [`until ${expiresAt}`] : []),
  ];
}

function clip(text: string): string {
  return text.length > longestArguments ? `${text.slice(0, longestArguments)}…` : text;
}
