/** How a run goes on from a snapshot: as a run of its own, or put back to it. Safe in the workflow sandbox. */
import type { LoadSnapshotOutput as LoadedSnapshot } from '../contract/state-step.js';
import type { NestedOrigin } from './nested-state.js';
import { markAfterRollback, untold } from './notices.js';
import type { RunState } from './run-state.js';

export interface Arrival {
  conversationId: string;
  nowMs: number;
  /** Of a run that is nested in another. */
  nested?: NestedOrigin;
  /** What has come since the run was started. */
  inbox: RunState['inbox'];
  said: RunState['said'];
  commands?: RunState['commands'];
  eventCount: number;
}

/** A new run: with everything that the other one was, but its end, and an identity of its own. */
export function arrived(loaded: LoadedSnapshot, { conversationId, nowMs, nested, inbox, said, commands, eventCount }: Arrival): RunState {
  // Its time begins anew.
  const { cancel: _, quietSince: __, stop, done, commands: ___, unheard: ____, approved: _____, ...saved } = shifted(loaded, nowMs);
  const { snapshotId, run, settings, overridden } = loaded;
  const known = new Set(saved.said.map(({ id }) => id));
  return {
    ...saved,
    // What had come to its end has its output; what was stopped goes on.
    ...(done && !stop && { done }),
    conversationId,
    settings,
    requests: saved.requests.map(untold),
    ...(nested && { nested: { ...nested, ...(saved.nested?.inherited && { inherited: saved.nested.inherited }) } }),
    inbox: [...saved.inbox, ...inbox.filter(({ id }) => !known.has(id))],
    said: [...saved.said, ...said.filter(({ id }) => !known.has(id))],
    outbox: [],
    post: [],
    eventCount,
    continuations: 0,
    branch: 0,
    ...(commands && { commands }),
    origin: {
      snapshotId,
      workflowId: run.workflowId,
      conversationId: saved.conversationId,
      turn: saved.lastTurn,
      ...(overridden && { overridden }),
    },
    ...resuming(loaded),
  };
}

/** The same run after a sleep, with what woke it. Nothing of it was half done. */
export function awoken(live: RunState, loaded: LoadedSnapshot, nowMs: number): RunState {
  const saved = shifted(loaded, nowMs);
  const known = new Set(saved.said.map(({ id }) => id));
  const { outbox, eventCount, commands, cancel, stop } = live;
  return {
    ...saved,
    settings: loaded.settings,
    inbox: live.inbox.filter(({ id }) => !known.has(id)),
    said: [...saved.said, ...live.said.filter(({ id }) => !known.has(id))],
    outbox,
    eventCount,
    ...(commands && { commands }),
    ...(cancel && { cancel }),
    ...(stop && { stop }),
  };
}

/** The same run, as it was: what others were told stays told, and tokens stay used. */
export function rolledBack(live: RunState, loaded: LoadedSnapshot, nowMs: number): RunState {
  const { cancel: _, stop: __, quietSince: ___, unheard: ____, ...saved } = shifted(loaded, nowMs);
  const then = new Set(saved.said.map(({ id }) => id));
  const queued = new Set(saved.inbox.map(({ id }) => id));
  return {
    ...saved,
    startedAt: live.startedAt,
    settings: live.settings,
    limits: live.limits,
    usage: live.usage,
    // A turn asks anew, under another id: an answer to what was undone must not count.
    requests: saved.requests.filter(({ turn }) => turn === undefined).map((asked) => markAfterRollback(asked, live.requests)),
    ...(live.audit && { audit: live.audit }),
    lastTurn: Math.max(live.lastTurn, saved.lastTurn),
    inbox: [...saved.inbox, ...live.inbox.filter(({ id }) => !queued.has(id))],
    said: [...saved.said, ...live.said.filter(({ id }) => !then.has(id)).map(undone)],
    outbox: live.outbox,
    post: live.post,
    eventCount: live.eventCount,
    continuations: live.continuations,
    branch: (live.branch ?? 0) + 1,
    ...(live.nested && { nested: live.nested }),
    ...(live.cancel && { cancel: live.cancel }),
    // Other reasons to end are found anew, if they are still there.
    ...(live.stop?.status === 'cancelled' && { stop: live.stop }),
    ...(live.unheard && { unheard: live.unheard }),
    ...(live.lastSnapshot && { lastSnapshot: { ...live.lastSnapshot, turn: Math.max(live.lastTurn, saved.lastTurn) } }),
    ...resuming(loaded),
  };
}

function undone(said: RunState['said'][number]): RunState['said'][number] {
  if (said.status === 'queued') return said;
  const { id } = said;
  return { id, status: 'failed', failure: { type: 'Run.RolledBack', message: 'The run was put back to before this was said.' } };
}

/** Runs within that had no outcome yet. There even if there are none: it marks the first execution. */
function resuming({ members }: LoadedSnapshot): Pick<RunState, 'resume'> {
  const resume = Object.entries(members).map(([operationId, { snapshotId, pattern }]) => ({ operationId, snapshotId, pattern }));
  return { resume };
}

/** The time for which it lay there does not count. */
function shifted({ state, at }: LoadedSnapshot, nowMs: number): RunState {
  const saved = state as RunState;
  const ms = Math.max(nowMs - Date.parse(at), 0);
  const later = (time: string) => new Date(Date.parse(time) + ms).toISOString();
  return {
    ...saved,
    startedAt: later(saved.startedAt),
    turns: saved.turns.map((turn) => ({ ...turn, at: later(turn.at) })),
    requests: saved.requests
      .filter(({ operation, status }) => operation === undefined || status !== 'pending')
      .map((request) => ({
        ...request,
        ...(request.expiresAt !== undefined && { expiresAt: later(request.expiresAt) }),
        ...(request.remindAt !== undefined && { remindAt: later(request.remindAt) }),
      })),
    operations: saved.operations.map(({ lookAt: _, ended: __, pause: ___, toldToStop: ____, ...operation }) => operation),
    ...(saved.termination && { termination: { ...saved.termination, startedAt: saved.termination.startedAt + ms } }),
  };
}
