/** What a run did with its own state, in a line. */
import type { RunEvent } from '../../contract/event.js';
import { short } from './words.js';

export function stateText(event: RunEvent): string | undefined {
  // A snapshot of a run is one of those within, too.
  if (event.nested !== undefined) return undefined;
  switch (event.type) {
    case 'snapshot.saved':
      return `Saved ${event.snapshotId}${event.label ? `: ${short(event.label, 200)}` : ''}`;
    case 'run.loaded':
      return `Goes on from ${event.snapshotId} of ${event.from}${event.overridden ? `, but for: ${short(event.overridden.join('; '), 200)}` : ''}`;
    case 'run.slept':
      return 'Fell asleep; the next message wakes it';
    case 'run.woken':
      return `Woke up, as it was in ${event.snapshotId}`;
    case 'run.rolledBack':
      return `Put back to ${event.snapshotId}, after turn ${event.lastTurn}`;
    case 'run.forked':
      return `${event.forkId} goes on from ${event.snapshotId}`;
    default:
      return undefined;
  }
}
