/** The record of requests, for people and for other programs. */
import type { AuditEntry } from '../../contract/audit.js';
import { printable, type Style } from '../terminal.js';
import { answerText } from './answers.js';
import { short } from './words.js';

export function auditText(entries: readonly AuditEntry[], style: Style): string {
  return entries.map((entry) => entryText(entry, style)).join('\n\n');
}

function entryText(entry: AuditEntry, style: Style): string {
  const { requestId, kind, agent, askedAt, prompt, trail = [], branch } = entry;
  const asked = `${printable(kind)}${agent ? ` from ${printable(agent)}` : ''}${whom(entry)}, ${askedAt}`;
  const between = trail.map((mark) => `${mark.at}: ${mark.what}${mark.what === 'escalated' ? whom(mark) : ''}`);
  const before = branch === undefined ? [] : [`after the run had been put back ${branch === 1 ? 'once' : `${branch} times`}`];
  return [
    `${style.bold(printable(requestId))}  ${style.dim(asked)}`,
    printable(short(prompt, 200)),
    ...[...before, ...between, outcomeOf(entry)].map((row) => style.dim(printable(row))),
  ].join('\n');
}

function whom({ assignee = [], role }: { assignee?: string[]; role?: string }): string {
  const names = [...assignee, ...(role === undefined ? [] : [role])];
  return names.length === 0 ? '' : ` to ${printable(names.join(', '))}`;
}

function outcomeOf({ status, settledAt, by, response }: AuditEntry): string {
  if (status === 'pending') return 'still waits';
  const answer = response === undefined ? '' : `: ${short(answerText(response), 200)}`;
  return `${settledAt ?? ''} ${status}${by ? ` by ${by}` : ''}${answer}`.trim();
}

const columns = [
  'requestId',
  'kind',
  'agent',
  'assignee',
  'role',
  'askedAt',
  'status',
  'by',
  'settledAt',
  'response',
  'prompt',
  'expiresAt',
  'reminders',
  'escalatedFrom',
  'trail',
  'call',
  'branch',
  'isCut',
] as const satisfies (keyof AuditEntry)[];

/** As RFC 4180 says: a header, and a line for each request. */
export function auditCsv(entries: readonly AuditEntry[]): string {
  const rows = entries.map((entry) => columns.map((column) => cell(entry[column])));
  return [columns, ...rows].map((row) => `${row.join(',')}\r\n`).join('');
}

/** What begins like a formula is no formula: whoever opens the table has not written it. */
function cell(value: unknown): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
