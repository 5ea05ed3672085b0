/** Where a run is, for a person. */
import type { RunStatus } from '../../contract/run.js';
import { printable, type Style } from '../terminal.js';
import { ago, count, summary, tokens } from './words.js';

export function statusText(status: RunStatus, style: Style, uiUrl?: string): string {
  const { result, failure, turns, cancel } = status;
  const rows: [string, string | false | undefined][] = [
    ['run', status.runId],
    ['what', status.orchestration ? `${status.orchestration} (${status.pattern})` : status.pattern],
    ['status', (colours(style)[status.status] ?? style.bold)(status.status)],
    ['agents', status.agents.join(', ')],
    ['now', turns.map(({ agent, ordinal, modelCalls }) => `${agent}, turn ${ordinal}, ${count(modelCalls, 'model call')}`).join('; ')],
    ['so far', !result && `${count(status.rounds, 'turn')}, ${tokens(status.usage)}`],
    ['inbox', status.inbox > 0 && count(status.inbox, 'message')],
    ['waits for', status.requests.length > 0 && `a person: ${status.requests.map(printable).join(', ')}`],
    ['nested', status.operations.map(({ member, runId }) => `${member} (${runId})`).join('; ')],
    ['cancel', cancel && `asked for (${cancel.mode})${cancel.reason ? `: ${printable(cancel.reason)}` : ''}`],
    ['result', result && summary(result)],
    ['failure', failure && `${printable(failure.message)} (${failure.type})`],
    ['transcript', `${status.transcriptLength} ${status.transcriptLength === 1 ? 'entry' : 'entries'}`],
    ['started', `${status.startedAt} (${ago(status.startedAt)})`],
    ['page', uiUrl],
  ];
  return rows.flatMap(([label, text]) => (text ? [`${style.dim(label.padEnd(12))}${text}`] : [])).join('\n');
}

function colours(style: Style): { [status: string]: ((text: string) => string) | undefined } {
  return { completed: style.green, failed: style.red, stopped: style.yellow, cancelled: style.yellow };
}
