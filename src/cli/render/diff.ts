/** What differs between two snapshots, for a person: - is only in the first, + only in the second. */
import type { SnapshotDiff } from '../../client.js';
import type { Json } from '../../contract/json.js';
import { printable, type Style } from '../terminal.js';
import { short } from './words.js';

type Said = SnapshotDiff['transcript']['before'][number];

/** Characters of a line that was said, and of a value. */
const longestLine = 300;
const longestValue = 80;

export function diffText({ transcript, changes }: SnapshotDiff, ids: { before: string; after: string }, style: Style): string {
  const { common, before, after } = transcript;
  const hasParted = before.length + after.length > 0;
  const lines = [
    style.red(`- ${ids.before}`),
    style.green(`+ ${ids.after}`),
    '',
    `${style.bold('Said')}  ${style.dim(`${common} ${common === 1 ? 'entry' : 'entries'} in common`)}`,
    ...(hasParted ? [] : [style.dim('  and nothing else')]),
    ...before.map((line) => style.red(`- ${saidText(line)}`)),
    ...after.map((line) => style.green(`+ ${saidText(line)}`)),
    '',
    style.bold('Everything else'),
    ...(changes.length > 0 ? [] : [style.dim('  is the same')]),
    ...changes.map(({ path, before, after }) => `  ${printable(path)}: ${style.red(valueText(before))} → ${style.green(valueText(after))}`),
  ];
  return lines.join('\n');
}

function saidText({ position, author, text }: Said): string {
  return `${position + 1} ${printable(author)}: ${printable(short(text, longestLine)) || '(no words)'}`;
}

function valueText(value: Json | undefined): string {
  return value === undefined ? '(nothing)' : printable(short(JSON.stringify(value), longestValue));
}
