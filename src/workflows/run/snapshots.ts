/** Save, fork and roll back: what a run does with its own state while nothing in it is half done. */
import { ActivityFailure, CancellationScope, isCancellation, ParentClosePolicy, startChild } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { fail, failureOf } from '../../contract/failure.js';
import {
  assertAgents,
  type MemberSnapshot,
  type Outcome,
  type SaveInput,
  type Snapshot,
  type SnapshotReason,
} from '../../contract/snapshot.js';
import type { LoadSnapshotOutput, SaveSnapshotInput } from '../../contract/state-step.js';
import { rolledBack } from '../../state/from-snapshot.js';
import type { CommandState, RequestState, RunState } from '../../state/run-state.js';
import { loadSnapshot, saveFinished, saveMembers, saveSnapshot, stepFailure } from './activities.js';
import { now } from './clock.js';
import { pendingCommands } from './commands.js';
import { abandon } from './operations.js';
import { sendPost } from './post.js';
import { isOpen, settle } from './request-list.js';
import type { AnyRun } from './run.js';
import { snapshotOf } from './views.js';

/** A state to go on with, made of the one that the run has when it leaves. */
export type OtherState = (live: RunState) => RunState;

/** Does all that was asked for. Returns what to go on with, when the run is put back. */
export async function carryOut(run: AnyRun): Promise<OtherState | undefined> {
  for (let [command] = pendingCommands(run); command; [command] = pendingCommands(run)) {
    try {
      if (command.kind === 'rollback') return await rollBack(run, command);
      if (command.kind === 'save') command.snapshotId = await save(run, 'asked', wishesOf(command));
      else await fork(run, command);
      command.status = 'done';
    } catch (error) {
      refuse(run, command, error);
    }
  }
  return undefined;
}

/** The run ends: what only reads its state is still done. */
export async function carryOutLast(run: AnyRun): Promise<void> {
  for (const command of pendingCommands(run).filter(({ kind }) => kind === 'rollback')) {
    refuse(run, command, fail('Run.Closed', 'The run ended before it could be put back. Load the snapshot as a new run.'));
  }
  await carryOut(run);
}

/** Between turns, where the run is to keep snapshots by itself. */
export function isSnapshotDue({ state }: AnyRun): boolean {
  const { snapshots, lastSnapshot } = state;
  return snapshots !== undefined && state.lastTurn - (lastSnapshot?.turn ?? 0) >= snapshots.every;
}

/** `key`: of two that are made for one purpose, the later is listed. */
type Wishes = SaveInput & { key: string } & Pick<SaveSnapshotInput, 'expires'>;

function wishesOf({ id, label, agents }: CommandState): Wishes {
  return { key: id, ...(label !== undefined && { label }), ...(agents !== undefined && { agents }) };
}

/** Writes what is new, and a document that refers to the rest. Returns its id. */
export async function save(run: AnyRun, reason: SnapshotReason, { key, expires, ...wishes }: Wishes): Promise<string> {
  const { state } = run;
  const { label, agents } = wishes;
  if (state.team.id === '') throw fail('Run.Closed', 'The run has not begun, so there is nothing to save.');
  if (state.sleeper) throw fail('State.Unreadable', `The run could not be woken. What it was is in ${state.sleeper.snapshotId}.`);
  assertAgents(agents, run.agents);
  const members = await saveRunning(run);
  const written = snapshotOf(run, { at: new Date().toISOString(), reason, ...wishes }, members);
  const saved = await run.outbox
    .alongLocally((base) =>
      saveSnapshot()({ ...base, ...written, key, ...(expires && { expires }), ...(state.snapshots && { keep: state.snapshots.keep }) }),
    )
    .catch((error: unknown) => {
      throw stepFailure(error, 'Store.Unavailable', 'Saving a snapshot');
    });
  run.transcript.advance(saved.head);
  state.lastSnapshot = { id: saved.id, turn: state.lastTurn };
  run.outbox.emit('snapshot.saved', { snapshotId: saved.id, reason, ...(label !== undefined && { label }) });
  return saved.id;
}

/**
 * What it was at its end, and what came of it: from then on the store alone can tell, when Temporal does not know the run any more. Its
 * last events go along. A store that is away for long does not keep a run from ending.
 */
export async function saveOutcome(run: AnyRun, outcome: Outcome): Promise<void> {
  const { state } = run;
  if (!state.settings.keepFinished) return;
  const written = snapshotOf(run, { at: new Date().toISOString(), reason: 'finished', outcome });
  try {
    const saved = await CancellationScope.nonCancellable(() =>
      run.outbox.alongLocally((base) => saveFinished()({ ...base, ...written, key: 'finished' })),
    );
    run.transcript.advance(saved.head);
    state.lastSnapshot = { id: saved.id, turn: state.lastTurn };
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
  }
}

/** Runs that this one waits for are saved first, wherever they are: with them it can go on. */
async function saveRunning(run: AnyRun): Promise<Snapshot['members']> {
  const running = run.state.operations.filter(({ outcome }) => !outcome);
  if (running.length === 0) return {};
  const saved = await run.outbox
    .along((base) => saveMembers('save the runs within')({ ...base, operations: running.map(({ id, runId }) => ({ id, runId })) }))
    .catch((error: unknown) => {
      throw stepFailure(error, 'Nested.Failed', 'Saving the runs that this one waits for');
    });
  const members: { [operationId: string]: MemberSnapshot } = {};
  for (const [id, found] of Object.entries(saved)) {
    if ('snapshotId' in found) members[id] = found;
    else Object.assign(run.state.operations.find((operation) => operation.id === id) ?? {}, { outcome: found });
  }
  return members;
}

async function fork(run: AnyRun, command: CommandState): Promise<void> {
  if (run.state.nested) throw fail('Input.Invalid', `This run is a part of "${run.state.nested.root.workflowId}". Fork that.`);
  if (command.snapshotId === undefined) command.snapshotId = await save(run, 'fork', { key: command.id });
  else await load(run, { snapshotId: command.snapshotId });
  command.runId ??= `${run.workflowId.slice(0, 150)}~${shortOf(command.id)}`;
  const { snapshotId, runId: workflowId } = command;
  try {
    await startChild(run.state.pattern, {
      workflowId,
      args: [{ snapshot: snapshotId }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `fork of ${run.workflowId}`.slice(0, 200),
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw fail('Run.AlreadyExists', `A run "${workflowId}" is open already. Choose another id.`);
  }
  run.outbox.emit('run.forked', { snapshotId, forkId: workflowId });
}

/** Ids that others have chosen may be alike at the beginning. */
function shortOf(id: string): string {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id.slice(0, 8) : id.slice(0, 100);
}

/** One of this run, whole and readable. */
async function load(run: AnyRun, { snapshotId, turn }: Pick<CommandState, 'snapshotId' | 'turn'>): Promise<LoadSnapshotOutput> {
  const { conversationId, pattern } = run.state;
  return await run.outbox
    .along((base) =>
      loadSnapshot('load a snapshot')({
        ...base,
        pattern,
        of: { conversationId },
        workflowId: run.workflowId,
        ...(snapshotId !== undefined && { snapshotId }),
        ...(turn !== undefined && { turn }),
      }),
    )
    .catch((error: unknown) => {
      throw stepFailure(error, 'Store.Unavailable', 'Loading the snapshot');
    });
}

/** The later state is kept as a snapshot of its own. */
async function rollBack(run: AnyRun, command: CommandState): Promise<OtherState> {
  const loaded = await load(run, command);
  await save(run, 'rollback', { key: command.id });
  for (const operation of [...run.state.operations]) await abandon(run, operation);
  for (const asked of run.state.requests.filter(isOpen)) settle(run, asked, { status: 'withdrawn' });
  await sendPost(run);
  if (run.notices.isOn) await run.notices.last(isAskedStill(loaded.state as RunState));
  run.outbox.emit('run.rolledBack', { snapshotId: loaded.snapshotId, lastTurn: (loaded.state as unknown as RunState).lastTurn });
  const { snapshotId } = loaded;
  // Only the state that it goes on with says that it is done.
  return ({ commands = [], ...live }) => ({
    ...rolledBack(live, loaded, now()),
    commands: commands.map((other) => (other.id === command.id ? { ...other, status: 'done', snapshotId } : other)),
  });
}

/** Whoever was told of it before goes on being asked. */
function isAskedStill({ requests }: RunState) {
  const isOwn = ({ status, operation }: RequestState) => status === 'pending' && operation === undefined;
  return ({ requestId, createdAt }: RequestState) =>
    requests.some((saved) => isOwn(saved) && saved.requestId === requestId && saved.createdAt === createdAt);
}

function refuse(run: AnyRun, command: CommandState, error: unknown): void {
  if (isCancellation(error)) throw error;
  const { type, message } = failureOf(error);
  Object.assign(command, { status: 'failed', failure: { type, message: message.slice(0, 2000) } });
  run.outbox.emit('command.failed', { operationId: command.id, command: command.kind, failure: { type, message } });
}
