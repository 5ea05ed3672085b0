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
      return 'Fell asleep; what comes wakes it';
    case 'run.expired':
      return 'Expired, and is deleted; the next message begins a new conversation';
    case 'run.woken':
      return `Woke up, as it was in ${event.snapshotId}`;
    case 'wake.failed':
      return `Cannot wake up: ${short(event.failure.message, 300)} (${event.failure.type})`;
    case 'run.rolledBack':
      return `Put back to ${event.snapshotId}, after turn ${event.lastTurn}`;
    case 'run.forked':
      return `${event.forkId} goes on from ${event.snapshotId}`;
    case 'conversation.compacted':
      return `${event.agent ?? 'An agent'} hears less of what is old: ${event.messages} messages ${event.by === 'dropping' ? 'are left out' : `became a ${event.by === 'summary' ? 'summary' : 'few words'}`}`;
    case 'compaction.failed':
      return `Nothing stands for what ${event.agent ?? 'an agent'} hears no more: ${short(event.failure.message, 200)}`;
    case 'notice.failed':
      return `Nobody could be told of ${event.requestId}: ${short(event.reason, 300)}`;
    default:
      return undefined;
  }
}
