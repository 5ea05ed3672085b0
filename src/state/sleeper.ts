/**
 * A run that has waited for long, as small as handlers, queries and clocks allow: the rest of it is a snapshot in the store. Unlike a session
 * that has closed it is a live run, and its clock goes on. Safe in the workflow sandbox.
 */
import { digestOf } from '../contract/same-json.js';
import type { RequestState, RunState } from './run-state.js';
import type { Shape } from './shape.js';
import { hasExternal } from './termination.js';

export interface Sleeper {
  /** Where the rest of the run is. */
  snapshotId: string;
  /** RFC 3339. */
  since: string;
  /** When it wakes by itself, in milliseconds of the run's clock: a limit of time, a deadline, the end of a request. */
  wakeAt?: number;
  /** Messages that waited already. */
  inbox: number;
  /** Requests that waited. */
  waiting: number;
  /** Those that do not wait any more: what it takes to tell the same answer from another one. */
  settled: SettledRequest[];
  /** It has a condition that can be met from outside. */
  hasExternal?: true;
  /** Somebody has met it meanwhile. */
  stop?: { reason?: string };
  /** Watchers were told. */
  isTold?: true;
  /** Why it could not be woken. */
  failure?: { type: string; message: string };
}

export interface SettledRequest extends Pick<RequestState, 'requestId' | 'status' | 'by' | 'expiresAt'> {
  /** Digest of the response. */
  answer?: string;
}

export type Falling = Pick<Sleeper, 'snapshotId' | 'since' | 'wakeAt'> & { lookAt: number };

/** Characters of a prompt; the whole is in the snapshot. */
const longestPrompt = 100;
/** The last so many commands. */
const remembered = 5;

/** What the run goes on with as long as it sleeps. How much it is depends on what waits: whoever carries it measures it. */
export function sleeperOf(state: RunState, { snapshotId, since, wakeAt, lookAt }: Falling): RunState {
  const { team, transcript, termination, requests, commands, steps, inbox } = state;
  const { output: _, shape: __, done: ___, unanswered: ____, compactions: _____, snapshots: ______, termination: _______, ...kept } = state;
  const { head } = transcript;
  const { whilePending } = state.options;
  const waiting = requests.filter(({ status }) => status === 'pending');
  return {
    ...kept,
    team: { id: team.id, members: team.members.filter(({ staff }) => !staff).map(({ name }) => ({ name, maxToolRounds: 0 })) },
    options: whilePending === undefined ? {} : { whilePending },
    progress: {},
    // A chain of parts: whoever reads the last one finds them all.
    transcript: { segments: head ? [{ id: head.part, from: 0, count: head.length, bytes: 0 }] : [], tail: [], head },
    turns: state.turns.map(({ round: _round, draft: _draft, ...turn }) => turn),
    inbox: [],
    said: state.said.filter(({ status }) => status === 'queued' || status === 'running'),
    ...(state.audit && { audit: { ...state.audit, fresh: [], size: 0 } }),
    requests: waiting.map(shortened),
    // Nobody tells this execution of the end of a run that an earlier one has started: it looks now and then.
    operations: state.operations.map((operation) => ({ lookAt, ...operation })),
    ...(commands && { commands: commands.slice(-remembered) }),
    steps: { current: steps.current, completed: [], count: steps.count, outputs: {}, retries: steps.retries },
    sleeper: {
      snapshotId,
      since,
      ...(wakeAt !== undefined && { wakeAt }),
      inbox: inbox.length,
      waiting: waiting.length,
      settled: requests.filter(({ status }) => status !== 'pending').map(settledOf),
      ...(termination && hasExternal(termination) && { hasExternal: true }),
    },
  };
}

function settledOf({ requestId, status, by, expiresAt, response }: RequestState): SettledRequest {
  if (status !== 'answered') return { requestId, status, ...(status === 'expired' && expiresAt !== undefined && { expiresAt }) };
  return { requestId, status, ...(by !== undefined && { by }), answer: digestOf(response) };
}

/** What handlers and clocks need of it. */
function shortened({ call, ...request }: RequestState): RequestState {
  const { tool, callId } = call ?? {};
  return { ...request, prompt: cut(request.prompt), ...(tool !== undefined && callId !== undefined && { call: { tool, callId } }) };
}

function cut(prompt: string): string {
  return prompt.length > longestPrompt ? `${prompt.slice(0, longestPrompt - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : prompt;
}

/** Something has come, or its time has: it has to wake. */
export function isRoused({ sleeper, inbox, requests, operations, commands = [], stop }: RunState, nowMs: number): boolean {
  if (!sleeper) return false;
  return (
    inbox.length > 0 ||
    stop !== undefined ||
    sleeper.stop !== undefined ||
    requests.length !== sleeper.waiting ||
    requests.some(({ status }) => status !== 'pending') ||
    operations.some(({ ended }) => ended) ||
    commands.some(({ status }) => status === 'pending') ||
    (sleeper.wakeAt ?? Infinity) <= nowMs
  );
}

/** All that it was, with what came meanwhile. What became of requests is still to be taken over. */
export function roused(live: RunState, saved: RunState): RunState {
  const { outbox, post, eventCount, continuations, cancel, stop } = live;
  const added = <T extends { id: string }>(before: readonly T[] = [], now: readonly T[] = []) => {
    const known = new Set(before.map(({ id }) => id));
    return [...before, ...now.filter(({ id }) => !known.has(id))];
  };
  const isNew = new Set(
    added(saved.said, live.said)
      .slice(saved.said.length)
      .map(({ id }) => id),
  );
  const commands = added(saved.commands, live.commands);
  return {
    ...saved,
    inbox: [...saved.inbox, ...live.inbox.filter(({ id }) => isNew.has(id))],
    said: added(saved.said, live.said),
    operations: saved.operations.map((operation) => ({ ...operation, ...live.operations.find(({ id }) => id === operation.id) })),
    ...(commands.length > 0 && { commands }),
    outbox,
    post,
    eventCount,
    continuations,
    ...(cancel && { cancel }),
    ...(stop && { stop }),
  };
}

export const sleeperShape: Shape = {
  fields: {
    snapshotId: 'string',
    since: 'time',
    wakeAt: { optional: 'count' },
    inbox: 'count',
    waiting: 'count',
    settled: { list: { fields: { requestId: 'string', status: 'string', by: { optional: 'string' }, answer: { optional: 'string' } } } },
    hasExternal: { optional: 'boolean' },
    stop: { optional: { fields: { reason: { optional: 'string' } } } },
    isTold: { optional: 'boolean' },
    failure: { optional: { fields: { type: 'string', message: 'string' } } },
  },
};
