/** What a person is asked, for that person. */
import type { RequestView } from '../../contract/request.js';
import { printable, type Style } from '../terminal.js';
import { answersText, answerText, type Answering } from './answers.js';
import { ago, short } from './words.js';

export function requestText(request: RequestView, style: Style, command: Answering): string {
  const { requestId, kind, prompt, agent, createdAt, expiresAt, status, by, response } = request;
  const asked = `${printable(kind)}${agent ? ` from ${printable(agent)}` : ''}, ${ago(createdAt)}${expiresAt ? `, until ${expiresAt}` : ''}`;
  const outcome = `${status}${by ? ` by ${printable(by)}` : ''}${response === undefined ? '' : `: ${printable(short(answerText(response), 200))}`}`;
  return [
    `${style.bold(printable(requestId))}  ${style.dim(asked)}`,
    printable(prompt).trimEnd(),
    ...(status === 'pending' ? answersText(request, command) : [outcome]).map((row) => style.dim(printable(row))),
  ].join('\n');
}
