/** Runs that a run starts: an orchestration's turn, an agent that is used as a tool. Each is a workflow of its own that may outlast this execution. */
import { CancellationScope, ParentClosePolicy, startChild, type ChildWorkflowHandle, type Workflow } from '@temporalio/workflow';
import type { NestedRun } from '../../contract/agent.js';
import { fail, failureOf, failures, type FailureType } from '../../contract/failure.js';
import type { Json } from '../../contract/json.js';
import type { Message } from '../../contract/message.js';
import type { NestedStart, RunResult } from '../../contract/run.js';
import type { MemberSnapshot } from '../../contract/snapshot.js';
import { utf8Bytes } from '../../contract/size.js';
import { addUsage, noUsage } from '../../contract/transcript.js';
import type { Operation } from '../../state/nested-state.js';
import type { OpenTurn } from '../../state/run-state.js';
import { lookUpRun, stepFailure, storeTranscript } from './activities.js';
import { superseded } from './asking.js';
import { holdTokens } from './boundary.js';
import { now } from './clock.js';
import { abandon, forget, mustTell, tellToStop } from './operations.js';
import type { AnyRun } from './run.js';
import { until } from './until.js';

/** What the nested run is to do: go on with this conversation, or a task of its own. */
export type Brief = { task: Message | Json } | { hears: OpenTurn };

const second = 1000;
const firstPause = 4 * second;
const mostPause = 3600 * second;

/** Workflow ids may have a thousand bytes. */
const longestParent = 700;

export async function startNested(run: AnyRun, nested: NestedRun, id: string, brief: Brief): Promise<Operation> {
  const runId = `${prefixOf(run)}/${id.replaceAll('/', '.')}-${nested.name}`;
  const operation: Operation = { id: `op-${id.replaceAll('/', '.')}`, runId, member: nested.name };
  const start = await startOf(run, nested, operation, brief);
  run.throwIfStopped();
  run.state.operations.push(operation);
  run.outbox.emit('nested.started', { operationId: operation.id, nestedRunId: runId, pattern: nested.pattern, agent: nested.name });
  try {
    const child = await CancellationScope.nonCancellable(() =>
      startChild(nested.pattern, {
        workflowId: runId,
        args: [{ ...('task' in brief && { task: brief.task as Json }), nested: start }],
        // A child of any other kind is ended when this run continues as new.
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: `${nested.name}: ${nested.pattern}`.slice(0, 200),
      }),
    );
    follow(run, operation, child);
  } catch (error) {
    forget(run, operation);
    throw fail('Nested.Failed', `"${nested.name}" could not be started as the run "${runId}": ${failureOf(error).message}`, {
      final: true,
    });
  }
  return operation;
}

/** After this run was loaded or put back: the other one goes on from a snapshot as well, under another id. */
export async function resumeNested(run: AnyRun, operationId: string, { snapshotId, pattern }: MemberSnapshot): Promise<void> {
  const operation = run.state.operations.find(({ id }) => id === operationId);
  if (!operation) return;
  const place = operationId.replace(/^op-/, '');
  operation.runId = `${prefixOf(run)}/${place}-${operation.member}${run.state.branch ? `~${run.state.branch}` : ''}`;
  const frame = frameOf(run);
  run.outbox.emit('nested.started', { operationId, nestedRunId: operation.runId, pattern, agent: operation.member });
  const start: NestedStart = { parent: run.workflowId, operationId, ...frame };
  const child = await CancellationScope.nonCancellable(() =>
    startChild(pattern, {
      workflowId: operation.runId,
      args: [{ snapshot: snapshotId, nested: start }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `${operation.member}: ${pattern}`.slice(0, 200),
    }),
  );
  follow(run, operation, child);
}

/** As long as this execution lasts, Temporal itself tells how the other run ends. */
function follow(run: AnyRun, operation: Operation, child: ChildWorkflowHandle<Workflow>): void {
  run.followed.add(operation.id);
  void child.result().then(
    (result) => (operation.outcome ??= { result: result as RunResult }),
    (error: unknown) => (operation.outcome ??= { failure: failureOf(error) }),
  );
}

/** Waits until the other run has ended; returns its result. */
export async function resultOf(run: AnyRun, operation: Operation, turn: OpenTurn): Promise<RunResult> {
  const outcome = await outcomeOf(run, operation, turn);
  forget(run, operation);
  const status = 'result' in outcome ? outcome.result.status : 'failed';
  run.outbox.emit('nested.ended', { operationId: operation.id, nestedRunId: operation.runId, status, agent: operation.member });
  run.state.usage = addUsage(run.state.usage, 'result' in outcome ? outcome.result.usage : (operation.usage ?? noUsage));
  if ('failure' in outcome) throw nestedFailure(operation, outcome.failure);
  if (outcome.result.output === null) throwSilent(run, operation, outcome.result);
  return outcome.result;
}

/** Nobody in there has spoken: when this run ends as well, that is why; otherwise there is nothing to go on with. */
function throwSilent(run: AnyRun, operation: Operation, { stopReason }: RunResult): never {
  run.throwIfStopped();
  holdTokens(run);
  throw nestedFailure(operation, { type: 'Nested.Failed', message: `It ended before anybody had spoken. ${stopReason.message}` });
}

async function outcomeOf(run: AnyRun, operation: Operation, turn: OpenTurn): Promise<NonNullable<Operation['outcome']>> {
  for (;;) {
    if (operation.outcome) return operation.outcome;
    if (operation.superseded) return await supersede(run, operation, turn);
    // Nobody tells this execution how a run ends that an earlier one has started, nor that it was terminated: so it looks.
    const mustLook = !run.followed.has(operation.id);
    if (mustLook && (operation.ended || (operation.lookAt ?? 0) <= now())) {
      const found = await lookUp(run, operation);
      if (found) return found;
    }
    const isNews = () =>
      operation.outcome !== undefined ||
      operation.superseded === true ||
      (mustLook && operation.ended === true) ||
      mustTell(run, operation) !== undefined;
    await until(run, isNews, { turn, throughStop: true, ...(mustLook && { deadline: operation.lookAt ?? now() }) });
    tellToStop(run, operation, mustTell(run, operation));
  }
}

/** It waits for people who are not to be waited for any more. */
async function supersede(run: AnyRun, operation: Operation, turn: OpenTurn): Promise<NonNullable<Operation['outcome']>> {
  turn.superseded = true;
  await abandon(run, operation);
  return { failure: { type: 'Turn.Abandoned', message: `It waited for a person, and ${superseded}.` } };
}

/** Less and less often, also across continue-as-new. */
async function lookUp(run: AnyRun, operation: Operation): Promise<NonNullable<Operation['outcome']> | undefined> {
  const ends = operation.ended === true;
  operation.ended = false;
  const found = await run.outbox
    .along((base) => lookUpRun(`look after ${operation.member}`)({ ...base, workflowId: operation.runId, ...(ends && { ends }) }))
    .catch((error: unknown) => {
      throw stepFailure(error, 'Nested.Failed', `Looking after the run "${operation.runId}"`);
    });
  if (found.status === 'ended') return { result: found.result };
  if (found.status === 'failed') return { failure: found.failure };
  const pause = ends ? firstPause : (operation.pause ?? firstPause);
  Object.assign(operation, { lookAt: now() + pause, pause: Math.min(pause * 4, mostPause) });
  return undefined;
}

function prefixOf({ workflowId, state }: AnyRun): string {
  return utf8Bytes(workflowId) > longestParent ? state.conversationId : workflowId;
}

async function startOf(run: AnyRun, nested: NestedRun, operation: Operation, brief: Brief): Promise<NestedStart> {
  return {
    parent: run.workflowId,
    operationId: operation.id,
    prepared: nested.prepared,
    ...('hears' in brief && { inherited: await inheritance(run, nested.name, brief.hears) }),
    ...frameOf(run),
  };
}

/** What is left of this run's limits, and whose log it is. */
function frameOf(run: AnyRun): Pick<NestedStart, 'limits' | 'root' | 'sleepAfterMs'> {
  const { state } = run;
  const { sleepAfterMs } = state;
  const { tokens } = state.limits;
  return {
    limits: tokens === undefined ? {} : { tokens: Math.max(tokens - state.usage.totalTokens, 1) },
    ...(sleepAfterMs !== undefined && { sleepAfterMs }),
    root: state.nested?.root ?? { workflowId: run.workflowId, firstRunId: run.firstRunId },
  };
}

/** The conversation so far, by reference: nothing of it travels. */
async function inheritance(run: AnyRun, as: string, { start, from = 0 }: OpenTurn): Promise<NestedStart['inherited']> {
  const ref = run.transcript.ref();
  if (ref.since.length > 0) {
    const head = await run.outbox
      .along((base) => storeTranscript(`transcript: store for ${as}`)({ ...base, transcript: ref }))
      .catch((error: unknown) => {
        throw stepFailure(error, 'Store.Unavailable', 'Storing the transcript');
      });
    run.transcript.advance(head);
  }
  const { head } = run.state.transcript;
  return { head, length: head?.length ?? 0, as, from, to: start, lastTurn: run.state.lastTurn };
}

/** A type that we know stays what it is. */
function nestedFailure({ member, runId }: Operation, { type, message }: { type: string; message: string }) {
  const known: FailureType = type in failures && type !== 'Run.Failed' ? (type as FailureType) : 'Nested.Failed';
  return fail(known, `${member} (run "${runId}"): ${message}`, { final: true });
}
