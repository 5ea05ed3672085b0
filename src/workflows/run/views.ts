/** What queries answer: small, and still there after the run has closed. */
import { fail } from '../../contract/failure.js';
import { textOf } from '../../contract/message.js';
import { show } from '../../contract/problems.js';
import type { RunStatus, TurnStatus } from '../../contract/run.js';
import { sizes } from '../../contract/size.js';
import { snapshotType, snapshotVersion, type Snapshot } from '../../contract/snapshot.js';
import type { SnapshotParts } from '../../contract/state-step.js';
import type { TranscriptPage } from '../../contract/transcript.js';
import { pageAgentState } from '../../state/agent-state.js';
import { checkpointOf, statusOf as statusIn, turnOf as turnIn } from '../../state/views.js';
import { asArguments } from './arguments.js';
import type { AnyRun } from './run.js';

export function statusOf(run: AnyRun): RunStatus {
  const { workflowId: runId, firstRunId, phase, result, failure } = run;
  const status = phase === 'closed' ? closedAs(run) : phase;
  return statusIn(run.state, { runId, firstRunId, status, ...(result && { result }), ...(failure && { failure }) });
}

export function closedAs({ state, result }: AnyRun): RunStatus['status'] {
  return state.ending?.code === 'asleep' ? 'asleep' : (result?.status ?? 'failed');
}

/** What is written of a snapshot: all that the store does not have yet. Also for a run that has closed. */
export function snapshotOf(
  run: AnyRun,
  about: Pick<Snapshot, 'at' | 'reason' | 'label' | 'agents' | 'outcome'>,
  members: Snapshot['members'] = {},
): SnapshotParts {
  // Without what is on its way somewhere else, and what only this execution can use.
  const { outbox: _, post: __, commands: ___, resume: ____, ...rest } = run.state;
  const state = { ...rest, outbox: [], post: [] };
  const { pattern, orchestration, team } = state;
  const { segments, head } = state.transcript;
  const document: Snapshot = {
    schemaVersion: snapshotVersion,
    type: snapshotType,
    run: { workflowId: run.workflowId, firstRunId: run.firstRunId },
    ...about,
    definition: { pattern, ...(orchestration !== undefined && { orchestration }), fingerprint: team.id, agents: run.agents },
    checkpoint: checkpointOf(state),
    state: { ...state, transcript: { segments, tail: [], head } },
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
  const told = turnIn(run.state, turnId);
  const reply = told.position === undefined ? undefined : run.transcript.at(told.position);
  return { ...told, ...(reply && { reply: textOf(reply.message) }), ...(reply?.cut && reply.blob && { replyArtifact: reply.blob }) };
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
