/** What queries answer: small, and still there after the run has closed. */
import { fail } from '../../contract/failure.js';
import { textOf } from '../../contract/message.js';
import { show } from '../../contract/problems.js';
import type { Checkpoint, RunStatus, TurnStatus } from '../../contract/run.js';
import { sizes } from '../../contract/size.js';
import { snapshotType, snapshotVersion, type Snapshot } from '../../contract/snapshot.js';
import type { SnapshotParts } from '../../contract/state-step.js';
import type { TranscriptPage } from '../../contract/transcript.js';
import { pageAgentState } from '../../state/agent-state.js';
import type { Sleeper } from '../../state/sleeper.js';
import { asArguments } from './arguments.js';
import { commandView } from './commands.js';
import type { AnyRun } from './run.js';

export function statusOf(run: AnyRun): RunStatus {
  const { state } = run;
  return {
    runId: run.workflowId,
    firstRunId: run.firstRunId,
    pattern: state.pattern,
    ...(state.orchestration && { orchestration: state.orchestration }),
    status: run.phase === 'closed' ? closedAs(run) : run.phase,
    turns: state.turns.map(({ id, agent, ordinal, modelCalls }) => ({ id, agent, ordinal, modelCalls })),
    agents: run.agents,
    rounds: state.rounds,
    usage: state.usage,
    inbox: state.inbox.length + (state.sleeper?.inbox ?? 0),
    requests: state.requests.filter(({ status }) => status === 'pending').map(({ requestId }) => requestId),
    operations: [
      ...state.operations.map(({ id, runId, member }) => ({ id, kind: 'nested' as const, runId, member })),
      ...(state.commands ?? []).map(commandView),
    ],
    ...(state.lastSnapshot && { snapshotId: state.lastSnapshot.id }),
    ...(state.sleeper && { asleep: asleepAs(state.sleeper) }),
    ...(state.origin && { origin: state.origin }),
    ...(state.cancel && { cancel: state.cancel }),
    ...(run.result && { result: run.result }),
    ...(run.failure && { failure: run.failure }),
    transcriptLength: run.transcript.length,
    startedAt: state.startedAt,
  };
}

function asleepAs({ since, snapshotId, failure }: Sleeper): RunStatus['asleep'] {
  return { since, snapshotId, ...(failure && { failure }) };
}

function closedAs({ isAsleep, result }: AnyRun): RunStatus['status'] {
  return isAsleep ? 'asleep' : (result?.status ?? 'failed');
}

export function checkpointOf({ state, transcript }: AnyRun): Checkpoint {
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
    transcript: { length: transcript.length, segments: state.transcript.segments, head: state.transcript.head },
    usage: state.usage,
    continuations: state.continuations,
    ...(state.sleeper && { snapshotId: state.sleeper.snapshotId }),
  };
}

/** What is written of a snapshot: all that the store does not have yet. Also for a run that has closed. */
export function snapshotOf(
  run: AnyRun,
  about: Pick<Snapshot, 'at' | 'reason' | 'label' | 'agents'>,
  members: Snapshot['members'] = {},
): SnapshotParts {
  // Without what is on its way somewhere else, and what only this execution can use.
  const { outbox: _, post: __, commands: ___, resume: ____, ...state } = run.state;
  const { pattern, orchestration, team } = state;
  const { segments, head } = state.transcript;
  const document: Snapshot = {
    schemaVersion: snapshotVersion,
    type: snapshotType,
    run: { workflowId: run.workflowId, firstRunId: run.firstRunId },
    ...about,
    definition: { pattern, ...(orchestration !== undefined && { orchestration }), fingerprint: team.id, agents: run.agents },
    checkpoint: checkpointOf(run),
    state: { ...state, outbox: [], post: [], transcript: { segments, tail: [], head } },
    members,
  };
  return { document, head, segments, fresh: run.transcript.since(head) };
}

export function transcriptOf(run: AnyRun, page: unknown): TranscriptPage {
  const inherited = run.state.nested?.inherited;
  const { imports } = run.state;
  return { ...run.transcript.page(pageOf(page)), ...(inherited && { inherited }), ...(imports && { imports }) };
}

export function turnOf(run: AnyRun, which: unknown): TurnStatus {
  const { turnId: asked } = asArguments(which);
  const turnId = typeof asked === 'string' ? asked : '';
  const said = run.state.said.find(({ id }) => id === turnId);
  if (!said) return { turnId, status: 'unknown' };
  const reply = said.reply === undefined ? undefined : run.transcript.at(said.reply);
  return {
    turnId,
    status: said.status,
    ...(said.reply !== undefined && { position: said.reply }),
    ...(reply && { reply: textOf(reply.message) }),
    ...(reply?.cut && reply.blob && { replyArtifact: reply.blob }),
    ...(said.failure && { failure: said.failure }),
  };
}

/** A page of the document's entries, made of what is still here; the client adds what is in the store. */
export function agentStateOf(run: AnyRun, query: unknown) {
  const agent = asArguments(query).agent ?? run.agents[0];
  if (typeof agent !== 'string' || !run.agents.includes(agent)) {
    throw fail('Input.UnknownAgent', `${show(agent)} is not in this run's team (${run.agents.join(', ')}).`);
  }
  const page = pageAgentState(run.state.transcript.tail, agent, { ...pageOf(query), maxBytes: sizes.page }, run.transcript.sealed);
  return { ...page, sealed: run.transcript.sealed, segments: run.state.transcript.segments };
}

function pageOf(value: unknown): { after: number; limit: number } {
  const { after, limit } = asArguments(value);
  return { after: wholeNumber(after, 0, Number.MAX_SAFE_INTEGER), limit: Math.max(1, wholeNumber(limit, 100, 1000)) };
}

function wholeNumber(value: unknown, otherwise: number, max: number): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? Math.min(value, max) : otherwise;
}
