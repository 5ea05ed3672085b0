/** Whether a snapshot fits the definition that it is loaded into, where one is given; and what that changes. */
import type { Team } from '../contract/agent.js';
import { fail } from '../contract/failure.js';
import { readRunInput } from '../contract/input-schema.js';
import { problemsFailure, type Problem } from '../contract/problems.js';
import type { RunInput } from '../contract/run.js';
import type { Snapshot } from '../contract/snapshot.js';
import type { RunState } from '../state/run-state.js';
import { inMilliseconds } from './limits.js';
import { fill } from './load-team.js';
import { prepareRun, type PrepareDeps } from './prepare-run.js';

export interface Fitting {
  team: Team;
  /** Members of the state that the document says otherwise. */
  changes: Partial<Pick<RunState, 'limits' | 'options' | 'snapshots' | 'orchestration'>>;
  overridden?: string[];
}

export async function fitInto(deps: PrepareDeps, snapshot: Snapshot, state: RunState, into: RunInput): Promise<Fitting> {
  const { nested: _, ...document } = into;
  const { problems, input } = readRunInput(state.pattern, document, { taskKept: true });
  if (!input) throw problemsFailure('The run input', problems);
  const { override = false, snapshot: __, ...given } = input;
  const limits = given.limits ? { limits: { ...state.limits, ...inMilliseconds(given.limits) } } : {};
  if (given.agents === undefined && given.orchestration === undefined) return { team: state.team, changes: limits };
  const unknown: Problem[] = [];
  const filled = fill(given, state.pattern, deps.agents, unknown);
  const prepared = await prepareRun(state.pattern, filled, deps, unknown);
  if (unknown.length > 0) throw problemsFailure('The run input', unknown, 'Input.UnknownAgent');
  const mismatches = mismatchesOf(snapshot, state, { ...given, team: prepared.team });
  if (mismatches.length === 0) return { team: state.team, changes: limits };
  if (!override)
    throw mismatch(mismatches, 'Load it as it is, without agents or orchestration; or override the differences, which is recorded.');
  const names = new Set(prepared.team.members.map(({ name }) => name));
  const busy = state.turns
    .filter(({ agent }) => !names.has(agent))
    .map(({ agent }) => `"${agent}" was in the middle of a turn and is not in the team`);
  if (busy.length > 0) throw mismatch(busy, 'That cannot be overridden.');
  return {
    team: prepared.team,
    changes: { ...limits, options: prepared.options, ...(given.orchestration !== undefined && { orchestration: given.orchestration }) },
    overridden: mismatches,
  };
}

function mismatchesOf({ definition }: Snapshot, state: RunState, given: Pick<RunInput, 'orchestration'> & { team: Team }): string[] {
  const before = state.team.members.map(({ name }) => name);
  const now = given.team.members.map(({ name }) => name);
  const missing = before.filter((name) => !now.includes(name)).map((name) => `"${name}" is in the snapshot and not in the team`);
  const added = now.filter((name) => !before.includes(name)).map((name) => `"${name}" is in the team and not in the snapshot`);
  const isReordered = missing.length + added.length === 0 && before.join('\n') !== now.join('\n');
  const isOther = given.orchestration !== undefined && given.orchestration !== definition.orchestration;
  return [
    ...(isOther
      ? [
          `the snapshot is of ${definition.orchestration ? `the orchestration "${definition.orchestration}"` : 'no orchestration'}, not of "${given.orchestration}"`,
        ]
      : []),
    ...missing,
    ...added,
    ...(isReordered ? [`the members are in another order: ${now.join(', ')} instead of ${before.join(', ')}`] : []),
    ...(given.team.id === state.team.id
      ? []
      : [`the agents are defined otherwise: fingerprint ${given.team.id} instead of ${state.team.id}`]),
  ];
}

function mismatch(mismatches: string[], advice: string) {
  return fail('State.Mismatch', `The snapshot does not fit:\n- ${mismatches.join('\n- ')}\n${advice}`, { details: [mismatches] });
}
