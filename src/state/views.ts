/** What is told of a run, made of its state: by the run itself and, when Temporal has forgotten it, of what it has left in the store. */
import type { AuditPage } from '../contract/audit.js';
import type { RequestView } from '../contract/request.js';
import { stopCodes, type Checkpoint, type RunResult, type RunStatus, type TurnStatus } from '../contract/run.js';
import type { CommandStatus } from '../contract/snapshot.js';
import type { Json } from '../contract/json.js';
import { noAudit } from './audit.js';
import type { CommandState, RequestState, RunState } from './run-state.js';
import type { Sleeper } from './sleeper.js';

/** What a state does not say of its run. */
export type Standing = Pick<RunStatus, 'runId' | 'firstRunId' | 'status' | 'result' | 'failure'>;

export function statusOf(state: RunState, { runId, firstRunId, status, result, failure }: Standing): RunStatus {
  return {
    runId,
    firstRunId,
    pattern: state.pattern,
    ...(state.orchestration && { orchestration: state.orchestration }),
    status,
    turns: state.turns.map(({ id, agent, ordinal, modelCalls }) => ({ id, agent, ordinal, modelCalls })),
    agents: agentsOf(state),
    rounds: state.rounds,
    usage: state.usage,
    inbox: state.inbox.length + (state.sleeper?.inbox ?? 0),
    requests: state.requests.filter((asked) => asked.status === 'pending').map(({ requestId }) => requestId),
    operations: [
      ...state.operations.map(({ id, runId: nestedRunId, member }) => ({ id, kind: 'nested' as const, runId: nestedRunId, member })),
      ...(state.commands ?? []).map(commandView),
    ],
    ...(state.lastSnapshot && { snapshotId: state.lastSnapshot.id }),
    ...(state.sleeper && { asleep: asleepSince(state.sleeper) }),
    ...(state.origin && { origin: state.origin }),
    ...(state.cancel && { cancel: state.cancel }),
    ...(result && { result }),
    ...(failure && { failure }),
    transcriptLength: lengthOf(state),
    startedAt: state.startedAt,
  };
}

export function checkpointOf(state: RunState): Checkpoint {
  const { segments, head } = state.transcript;
  return {
    conversationId: state.conversationId,
    orchestration: state.orchestration ?? state.pattern,
    stateVersion: state.stateVersion,
    currentStep: state.steps.current,
    completedSteps: state.steps.completed,
    completedStepCount: state.steps.count,
    stepOutputs: state.steps.outputs,
    pendingEvents: state.outbox.map(({ type }) => type),
    retryCount: state.steps.retries,
    team: state.team.id || null,
    transcript: { length: lengthOf(state), segments, head },
    usage: state.usage,
    continuations: state.continuations,
    ...(state.sleeper && { snapshotId: state.sleeper.snapshotId }),
  };
}

/** What a run has come to. @param output @default the last reply */
export function resultOf(state: RunState, output?: Json): RunResult {
  const { output: last, usage, rounds } = state;
  const { status, incomplete, ...stopReason } = endOf(state);
  return {
    status,
    // `null` is what a function has made of it.
    output: output === undefined ? (last?.text ?? null) : output,
    ...(output === undefined && last?.artifact && { outputArtifact: last.artifact }),
    stopReason,
    ...(incomplete && { incomplete }),
    usage,
    rounds,
  };
}

/** What became of a message. Its reply is at the `position`. */
export function turnOf({ said }: Pick<RunState, 'said'>, turnId: string): TurnStatus {
  const found = said.find(({ id }) => id === turnId);
  if (!found) return { turnId, status: 'unknown' };
  const { status, reply: position, failure } = found;
  return { turnId, status, ...(position !== undefined && { position }), ...(failure && { failure }) };
}

/** How a session ends that sleeps until somebody speaks to it. */
export const asleep = { status: 'stopped', code: 'asleep', message: stopCodes.asleep } as const;

export function requestView({
  operation: _,
  nestedId: __,
  told: ___,
  trail: ____,
  turn: _____,
  stage: ______,
  ...view
}: RequestState): RequestView {
  return view;
}

/** The record of requests: the newest of it, and where the rest is. */
export function auditOf({ audit = noAudit }: RunState): AuditPage {
  const { last, count, fresh } = audit;
  return { last, count, fresh };
}

/** As others see it. */
export function commandView({ label: _, agents: __, turn: ___, ...view }: CommandState): CommandStatus {
  return view;
}

/** The names of those who take turns, in the order given. */
export function agentsOf({ team }: RunState): string[] {
  return team.members.filter(({ staff }) => !staff).map(({ name }) => name);
}

function asleepSince({ since, snapshotId, failure }: Sleeper): RunStatus['asleep'] {
  return { since, snapshotId, ...(failure && { failure }) };
}

function lengthOf({ transcript: { segments, tail } }: RunState): number {
  const last = segments.at(-1);
  return (last ? last.from + last.count : 0) + tail.length;
}

function endOf(state: RunState): { status: RunResult['status']; incomplete?: true } & RunResult['stopReason'] {
  // The pattern had come to its own end when its last words met a condition.
  const stop = state.stop?.code === 'condition' ? (state.ending ?? state.stop) : state.stop;
  return stop ?? state.ending ?? { status: 'completed', code: 'completed', message: 'The pattern came to its end.' };
}
