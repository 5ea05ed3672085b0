/** What a person is asked, for that person. */
import type { RequestView } from '../../contract/request.js';
import { printable, type Style } from '../terminal.js';
import { ago, short } from './words.js';

export function requestText(request: RequestView, style: Style, command?: string): string {
  const { requestId, kind, prompt, schema, agent, createdAt, expiresAt, status, by, response } = request;
  const asked = `${printable(kind)}${agent ? ` from ${printable(agent)}` : ''}, ${ago(createdAt)}${expiresAt ? `, until ${expiresAt}` : ''}`;
  const rows = [
    `${style.bold(printable(requestId))}  ${style.dim(asked)}`,
    printable(short(prompt, 2000)),
    status === 'pending'
      ? undefined
      : style.dim(`${status}${by ? ` by ${printable(by)}` : ''}: ${printable(short(JSON.stringify(response ?? null), 200))}`),
    status === 'pending' && schema ? style.dim(`takes: ${printable(short(JSON.stringify(schema), 400))}`) : undefined,
    command === undefined ? undefined : style.dim(`answer: ${command}`),
  ];
  return rows.filter((row) => row !== undefined).join('\n');
}
