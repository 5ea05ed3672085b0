/** Snapshots in a table, for a person. */
import type { SnapshotRecord } from '../../client.js';
import type { SnapshotReason } from '../../contract/snapshot.js';
import { printable, type Style } from '../terminal.js';
import { columns } from './list.js';
import { ago, short } from './words.js';

const why: { [Reason in SnapshotReason]: string } = {
  asked: 'asked for',
  turn: 'after a turn',
  fork: 'for a fork',
  rollback: 'before a rollback',
  sleep: 'fell asleep',
  finished: 'ended',
};

export function snapshotsText(snapshots: readonly SnapshotRecord[], style: Style): string {
  const rows = snapshots.map(({ id, at, turn, length, reason, label = '' }) => [
    id,
    ago(at),
    String(turn),
    String(length),
    why[reason] ?? printable(reason),
    printable(short(label, 60)),
  ]);
  const [header = '', ...lines] = columns([['SNAPSHOT', 'WHEN', 'TURN', 'ENTRIES', 'WHY', 'LABEL'], ...rows]);
  return [style.dim(header), ...lines].join('\n');
}
