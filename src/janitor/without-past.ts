import { snapshotType, type CommandStatus } from '../contract/snapshot.js';
import { isObject } from '../state/shape.js';

/**
 * A snapshot, a run's state as it tells it, or the input that handed one on, without what it remembers, or is about to tell, of snapshots
 * in its past: it needs none of them, and each would keep the one before it. Whoever wants them has them on the list. Anything else stays as it is.
 */
export function withoutPast(document: unknown): unknown {
  if (!isObject(document) || !isObject(document.state) || !(document.type === snapshotType || 'stateVersion' in document.state))
    return document;
  const { lastSnapshot: _, origin: __, outbox: ___, commands, ...state } = document.state;
  const open = Array.isArray(commands) ? commands.filter((command: Partial<CommandStatus> | null) => command?.status === 'pending') : [];
  return { ...document, state: { ...state, commands: open } };
}
