/** Termination conditions in a run. Every entry reaches them once, as it is appended; they take effect between turns. */
import type { Json } from '../../contract/json.js';
import { fail } from '../../contract/failure.js';
import type { Entry } from '../../contract/transcript.js';
import {
  customIn,
  deadlineOf,
  observeCustom,
  observeEntry,
  observeExternal,
  observeTime,
  observeTurn,
  verdictOf,
  type TerminationState,
} from '../../state/termination.js';
import { show } from '../../contract/problems.js';
import { now } from './clock.js';
import { callRegistered } from './functions.js';
import type { AnyRun } from './run.js';

export function entryAppended(run: AnyRun, entry: Entry): void {
  update(run, (state) => observeEntry(state, { entry, at: new Date().toISOString(), usage: run.state.usage }));
}

export function turnEnded(run: AnyRun, turn: number): void {
  update(run, (state) =>
    observeTurn(state, { turns: run.state.rounds - run.state.turns.length, turn, usage: run.state.usage, at: new Date().toISOString() }),
  );
}

/** A manager was asked: its tokens count too. */
export async function usageGrown(run: AnyRun): Promise<void> {
  turnEnded(run, run.state.lastTurn);
  await judge(run);
}

/** Between turns: asks the functions among the conditions, and stops the run when it is done. */
export async function judge(run: AnyRun): Promise<void> {
  const { termination } = run.state;
  if (!termination || run.traffic.taking > 0 || run.state.stop || run.isEpilogue) return;
  if (run.transcript.length > run.state.judged) {
    const since = run.state.judged;
    run.state.judged = run.transcript.length;
    for (const { path, function: name } of customIn(termination)) await askFunction(run, path, name, since);
  }
  conclude(run);
}

async function askFunction(run: AnyRun, path: string, name: string, since: number): Promise<void> {
  const verdict = await callRegistered(run, name, {}, { since });
  const { fired, reason } = readVerdict(name, verdict);
  update(run, (state) => observeCustom(state, path, { fired, ...(reason !== undefined && { reason }), at: new Date().toISOString() }));
}

/** `true`, `false` or `{ stop, reason? }`; anything else is a mistake that nobody would notice. */
export function readVerdict(name: string, verdict: Json): { fired: boolean; reason?: string } {
  if (typeof verdict === 'boolean') return { fired: verdict };
  if (typeof verdict === 'object' && verdict !== null && !Array.isArray(verdict) && typeof verdict.stop === 'boolean') {
    return { fired: verdict.stop, ...(typeof verdict.reason === 'string' && { reason: verdict.reason }) };
  }
  throw fail('Function.Failed', `The function "${name}" must return true, false or { stop, reason }, and returned ${show(verdict)}.`, {
    final: true,
  });
}

/** Somebody asks from outside: the turn in flight ends first. */
export function stopFromOutside(run: AnyRun, reason?: string): void {
  update(run, (state) => observeExternal(state, { at: new Date().toISOString(), ...(reason !== undefined && { reason }) }));
  conclude(run);
}

/** When to look at the time again. */
export function nextDeadline({ state }: AnyRun): number | undefined {
  return state.termination && deadlineOf(state.termination);
}

export function timePassed(run: AnyRun): void {
  update(run, (state) => observeTime(state, now()));
  conclude(run);
}

function conclude(run: AnyRun): void {
  const fired = run.state.termination && verdictOf(run.state.termination);
  if (!fired || run.state.stop || run.isEpilogue) return;
  run.stop(
    'completed',
    'condition',
    fired
      .map(({ reason }) => reason)
      .join(' ')
      .slice(0, 1000),
    fired,
  );
  run.outbox.emit('condition.met', { conditions: fired });
}

function update(run: AnyRun, change: (state: TerminationState) => TerminationState): void {
  if (run.state.termination) run.state.termination = change(run.state.termination);
}
