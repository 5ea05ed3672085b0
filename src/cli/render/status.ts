/** Where a run is, for a person. */
import type { RunStatus } from '../../contract/run.js';
import { commandsOf, type CommandStatus } from '../../contract/snapshot.js';
import { printable, type Style } from '../terminal.js';
import { ago, count, short, summary, tokens } from './words.js';

export function statusText(status: RunStatus, style: Style, uiUrl?: string): string {
  const { result, failure, turns, cancel, origin } = status;
  const rows: [string, string | false | undefined][] = [
    ['run', status.runId],
    ['what', status.orchestration ? `${status.orchestration} (${status.pattern})` : status.pattern],
    ['status', (colours(style)[status.status] ?? style.bold)(status.status)],
    ['asleep', status.asleep && `since ${status.asleep.since}${cannotWake(status.asleep.failure)}`],
    ['agents', status.agents.join(', ')],
    ['now', turns.map(({ agent, ordinal, modelCalls }) => `${agent}, turn ${ordinal}, ${count(modelCalls, 'model call')}`).join('; ')],
    ['so far', !result && `${count(status.rounds, 'turn')}, ${tokens(status.usage)}`],
    ['inbox', status.inbox > 0 && count(status.inbox, 'message')],
    ['waits for', status.requests.length > 0 && `a person: ${status.requests.map(printable).join(', ')}`],
    ['nested', status.operations.flatMap((one) => (one.kind === 'nested' ? `${one.member} (${one.runId})` : [])).join('; ')],
    ...commandsOf(status)
      .slice(-shownCommands)
      .map((command, i): [string, string] => [i === 0 ? 'asked to' : '', commandText(command)]),
    ['snapshot', status.snapshotId],
    [
      'origin',
      origin &&
        `snapshot ${origin.snapshotId} of ${printable(origin.workflowId)}, after turn ${origin.turn}${differences(origin.overridden)}`,
    ],
    ['cancel', cancel && `asked for (${cancel.mode})${cancel.reason ? `: ${printable(cancel.reason)}` : ''}`],
    ['result', result && summary(result)],
    ['failure', failure && `${printable(failure.message)} (${failure.type})`],
    ['transcript', `${status.transcriptLength} ${status.transcriptLength === 1 ? 'entry' : 'entries'}`],
    ['started', `${status.startedAt} (${ago(status.startedAt)})`],
    ['page', uiUrl],
  ];
  return rows.flatMap(([label, text]) => (text ? [`${style.dim(label.padEnd(12))}${text}`] : [])).join('\n');
}

function cannotWake(failure: RunStatus['failure']): string {
  return failure ? `, and cannot wake: ${printable(failure.message)} (${failure.type})` : '';
}

/** The latest so many. */
const shownCommands = 5;

/** `fork: done, as tea~2 from 3f…`, `rollback: failed, There is no … (State.NotFound)` */
function commandText({ kind, status, snapshotId, runId, failure }: CommandStatus): string {
  const what = failure
    ? `${printable(short(failure.message, 300))} (${failure.type})`
    : [runId && `as ${printable(runId)}`, snapshotId && `${kind === 'rollback' ? 'to' : kind === 'fork' ? 'from' : 'as'} ${snapshotId}`]
        .filter(Boolean)
        .join(' ');
  return `${kind}: ${status}${what && `, ${what}`}`;
}

function differences(overridden: readonly string[] | undefined): string {
  return overridden ? `, but for: ${printable(overridden.join('; '))}` : '';
}

function colours(style: Style): { [status: string]: ((text: string) => string) | undefined } {
  return { completed: style.green, failed: style.red, stopped: style.yellow, cancelled: style.yellow };
}
