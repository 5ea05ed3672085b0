/** A run, wherever it executes: ask, watch, speak, end, and wait for its result. */
import { randomUUID } from 'node:crypto';
import type { RunEvent } from '../contract/event.js';
import { fail, failureOf } from '../contract/failure.js';
import type { MessageInput } from '../contract/message.js';
import { commands, messages, queries } from '../contract/names.js';
import type { RequestView } from '../contract/request.js';
import type { CancelInput, Checkpoint, RespondInput, RunStatus, StopInput, TurnStatus } from '../contract/run.js';
import type { AgentsToExport, ForkInput, RollbackInput, RunExport, SaveInput, SnapshotRecord } from '../contract/snapshot.js';
import type { Json, Span } from '../contract/json.js';
import type { SnapshotParts } from '../contract/state-step.js';
import type { Entry, TranscriptPage } from '../contract/transcript.js';
import type { AgentStateDocument } from '../agent-state/document.js';
import type { AuditEntry } from '../contract/audit.js';
import { readAudit } from './audit.js';
import { readAgentState, readArtifact, readTranscript, withReply } from './transcript.js';
import { awaitResult } from './await-result.js';
import { awaitTurn, type SayOptions } from './await-turn.js';
import { turnBefore, wholeCheckpoint, wholeRequests } from './asleep.js';
import type { ClientContext } from './context.js';
import { asEnded } from './describe.js';
import { callBack, completeMessage, type CallbackOptions, type CompleteMessage } from './callbacks.js';
import { interact, type Interaction } from './interact.js';
import { asSent } from './large-message.js';
import { milliseconds, timeoutSignal } from './span.js';
import { asleepAs } from '../store/asleep.js';
import { cancelAsleep } from './cancel-asleep.js';
import { exportSnapshot } from './exports.js';
import { forkClosed } from './fork-closed.js';
import { isLost, wakeUp } from './say-with-start.js';
import { awaitCommand, saveClosed } from './snapshots.js';
import type { RunOutcome } from './typed.js';
import { watchRun, type WatchOptions } from './watch.js';
import { WorkflowCalls } from './workflow-calls.js';

export type { SayOptions } from './await-turn.js';
export type { WatchOptions } from './watch.js';

/** `Result` is the type of the output. */
export class RunHandle<Result = Json> {
  protected readonly calls: WorkflowCalls;

  constructor(
    protected readonly context: ClientContext,
    /** The workflow id. */
    readonly id: string,
    firstRunId?: string,
    /** What becomes of an output that has arrived, such as reading it by its schema. */
    private readonly readOutput: (output: Json) => Result | Promise<Result> = (output) => output as Result,
  ) {
    this.calls = new WorkflowCalls(context, id, firstRunId);
  }

  /** Where the run is. Answers after it has closed, too. */
  async status(): Promise<RunStatus> {
    return await asEnded(this.context, await this.calls.query<RunStatus>(queries.status));
  }

  /** Where the run is, for machines. */
  async checkpoint(): Promise<Checkpoint> {
    return await wholeCheckpoint(this.context, await this.calls.query<Checkpoint>(queries.checkpoint));
  }

  /** What became of one message. */
  async turn(turnId: string): Promise<TurnStatus> {
    const told = await this.calls.query<TurnStatus>(queries.turn, { turnId });
    const turn = told.status === 'unknown' ? await turnBefore(this.context, await this.status(), told) : told;
    return await withReply(this.context, this.#page, turn);
  }

  /** Everything said so far, from the workflow and the store. Of very large messages, their beginning (`cut`). */
  async transcript(): Promise<Entry[]> {
    return await readTranscript(this.context, this.#page);
  }

  /** An agent's state document in the form that .NET and Python read too. @default the first agent */
  async agentState(agent?: string): Promise<AgentStateDocument> {
    const name = agent ?? (await this.status()).agents[0];
    if (name === undefined) throw fail('Input.UnknownAgent', 'This run has no agents yet.');
    return await readAgentState(this.context, this.#page, name);
  }

  /** Saves the run; gives the snapshot and all that belongs to it, and the documents of `agents`: one document that goes on anywhere. */
  async export({ agents }: { agents?: AgentsToExport } = {}): Promise<RunExport> {
    const { snapshotId } = await this.save({ label: 'export', ...(agents !== undefined && { agents }) });
    return await exportSnapshot(this.context, snapshotId);
  }

  /**
   * Events from a cursor on, to the end of the run. Survives lost connections, and ends however the run ends.
   *
   * @example
   * for await (const event of run.watch()) if (event.type === 'delta') process.stdout.write(event.text);
   */
  async *watch(options: WatchOptions = {}): AsyncGenerator<RunEvent, void, undefined> {
    yield* watchRun(this.context, this.id, await this.calls.firstRunId(), options);
  }

  /**
   * Calls back with every event, in order, one after another. Returns what stops it. A callback that throws stops only itself:
   * `onError` hears of it.
   */
  onEvent(callback: (event: RunEvent) => void | Promise<void>, options: CallbackOptions = {}): () => void {
    return callBack((how) => this.watch(how), callback, options);
  }

  /** Calls back once for every complete message of an agent. */
  onMessage(callback: (message: CompleteMessage) => void, options?: CallbackOptions): () => void {
    return this.onEvent(async (event) => {
      const message = await completeMessage(this.context, event);
      if (message) callback(message);
    }, options);
  }

  /**
   * Goes along with the run to its end: hears what is said, is asked what is asked, and answers. An answer that does not fit is asked for
   * again with the `problem`; one that comes too late is none.
   *
   * @throws as `result` · what a callback throws, unless there is `onError`
   * @example
   * const { output } = await run.interact({ onRequest: ({ prompt }) => ask(prompt), by: 'anna' });
   */
  async interact(interaction: Interaction): Promise<RunOutcome<Result>> {
    await interact(this.context, this, interaction);
    return await this.result();
  }

  /** `seq` of the last event so far, 0 when there is none: `watch({ from })` with it gives what comes from now on. */
  async lastSeq(): Promise<number> {
    return await this.context.store.events.end({ workflowId: this.id, firstRunId: await this.calls.firstRunId() });
  }

  /**
   * Says something and waits for the reply.
   *
   * @throws `Run.NotConversational` · `Run.Closed` · `Run.Busy` · `Input.Invalid` · `Run.TimedOut` (the turn goes on) ·
   * the failure of the turn
   */
  async say(message: MessageInput, options: SayOptions = {}): Promise<TurnStatus & { reply: string }> {
    const giveUp = timeoutSignal(milliseconds(options.timeout ?? '10 minutes'));
    const { turnId, after } = await this.send(message, options.id);
    return await awaitTurn(this.context, {
      workflowId: this.id,
      turnId,
      after,
      giveUp,
      onDelta: options.onDelta,
      firstRunId: () => this.calls.firstRunId(),
      forgetFirstRun: () => this.calls.forgetFirstRun(),
      told: () => this.turn(turnId),
      ask: () => this.calls.query<TurnStatus>(queries.turn, { turnId }),
    });
  }

  /** Says something and returns at once. */
  async send(message: MessageInput, id?: string): Promise<{ turnId: string; after: number }> {
    const end = await this.calls.logEnd();
    const input = { message: await asSent(this.context, message), id: id ?? randomUUID() };
    const { turnId } = await this.deliver(input);
    if (id !== undefined && (await isLost(this.context, this.id))) await wakeUp(this.context, this.calls, input, randomUUID());
    return { turnId, after: end.firstRunId === (await this.calls.firstRunId()) ? end.seq : 0 };
  }

  /** Ends the run. Repeated or late it does nothing, and tells the status. A session that sleeps is not woken any more. */
  async cancel(input: CancelInput = {}): Promise<{ status: string }> {
    const { status } = await this.#updateOpen(messages.cancel, input);
    if (status !== 'asleep') return { status };
    await cancelAsleep(this.context, this.id);
    return { status: 'cancelled' };
  }

  /**
   * Waits for the end. May be called again, and by several at once.
   *
   * @throws `Run.TimedOut` when the time given has passed (the run goes on) · the run's failure
   */
  async result({ timeout }: { timeout?: Span } = {}): Promise<RunOutcome<Result>> {
    const awaited = { workflowId: this.id, firstRunId: () => this.calls.firstRunId(), told: async () => (await this.status()).result };
    const result = await awaitResult(this.context, awaited, timeout);
    const output = result.outputArtifact ? await readArtifact(this.context, result.outputArtifact) : result.output;
    const { status } = result;
    if (status !== 'completed') return { ...result, status, output };
    return { ...result, status, output: await this.readOutput(output) };
  }

  /** What people are asked: what waits, and the last hundred that do not any more. Those of nested runs are among them. */
  async requests(): Promise<RequestView[]> {
    const status = await this.calls.query<RunStatus>(queries.status);
    return await wholeRequests(this.context, status, await this.calls.query<RequestView[]>(queries.requests));
  }

  /** Everything that people were asked, however long ago, and what has become of it. */
  async audit(): Promise<AuditEntry[]> {
    return await readAudit(this.context, this.calls);
  }

  /**
   * Answers a request. The same answer again is no problem.
   *
   * @throws `Request.NotPending`: unknown, answered otherwise, expired · `Input.Invalid` when it does not fit the schema; the request
   * still waits
   */
  async respond(requestId: string, response: Json, { by }: { by?: string } = {}): Promise<{ requestId: string; status: string }> {
    const input: RespondInput = { requestId, response, ...(by !== undefined && { by }) };
    return await this.calls.update<{ requestId: string; status: string }>(messages.respond, input);
  }

  /** Meets the condition `external` of the run's termination: it ends after the turn in flight. Late it only tells the status. */
  async stop(input: StopInput = {}): Promise<{ status: string }> {
    return await this.#updateOpen(messages.stop, input);
  }

  /**
   * Keeps a snapshot, as soon as no step is in flight. The run goes on. Its id is all it takes to load, fork or go back to it. A run
   * that has ended can be saved as well.
   *
   * @throws `Run.TimedOut` when the time given has passed (it is still done)
   */
  async save({ timeout, ...input }: SaveInput & { timeout?: Span } = {}): Promise<{ snapshotId: string }> {
    return await this.#command(commands.save, input, timeout).then(
      ({ snapshotId }) => ({ snapshotId: snapshotId as string }),
      this.#ifClosed((parts) => saveClosed(this.context, parts, input)),
    );
  }

  /** Snapshots of this run, the newest first. They outlive it. */
  async snapshots(options: { limit?: number } = {}): Promise<SnapshotRecord[]> {
    return await this.context.store.snapshots.list(this.id, options);
  }

  /**
   * Puts the run back to a snapshot, or to after a turn. What it was before stays as a snapshot of its own; tokens stay used.
   *
   * @throws `State.NotFound` · `State.Mismatch` when the snapshot is of another run · `State.Unreadable` · `Run.Closed`
   */
  async rollback({ timeout, ...to }: RollbackInput & { timeout?: Span }): Promise<{ snapshotId: string }> {
    return { snapshotId: (await this.#command(commands.rollback, to, timeout)).snapshotId as string };
  }

  /**
   * Starts another run from a snapshot, or from now: both go on by themselves. Of one that has ended, the other goes on.
   *
   * @throws as `rollback` · `Run.AlreadyExists`
   */
  async fork({ timeout, ...input }: ForkInput & { timeout?: Span } = {}): Promise<RunHandle<Result>> {
    const runId = await this.#command(commands.fork, input, timeout).then(
      (command) => command.runId as string,
      this.#ifClosed((parts) => forkClosed(this.context, parts, input)),
    );
    return new RunHandle<Result>(this.context, runId, undefined, this.readOutput);
  }

  /** One that has ended does nothing more, but still tells what it was. */
  #ifClosed<T>(instead: (parts: SnapshotParts) => Promise<T>): (error: unknown) => Promise<T> {
    return async (error) => {
      if (failureOf(error).type !== 'Run.Closed') throw error;
      return await instead(await this.calls.query<SnapshotParts>(queries.snapshot));
    };
  }

  async #command(name: string, input: object, timeout: Span = '10 minutes') {
    const id = randomUUID();
    return await awaitCommand(
      id,
      milliseconds(timeout),
      () => this.calls.update(name, input, id),
      () => this.status(),
    );
  }

  protected async deliver(input: { message: MessageInput; id: string }): Promise<{ turnId: string }> {
    try {
      return await this.calls.update<{ turnId: string }>(messages.say, input, input.id);
    } catch (error) {
      const isGone = ['Run.Closed', 'Run.NotFound'].includes(failureOf(error).type);
      if (!isGone || (await asleepAs(this.context.store, this.id, Date.now())) === undefined) throw error;
    }
    return await wakeUp(this.context, this.calls, input);
  }

  readonly #page = async (after: number): Promise<TranscriptPage> =>
    await this.calls.query<TranscriptPage>(queries.transcript, { after, limit: 1000 });

  async #updateOpen(name: string, input: object): Promise<{ status: string }> {
    try {
      return await this.calls.update<{ status: string }>(name, input);
    } catch (error) {
      if (failureOf(error).type !== 'Run.Closed') throw error;
      return { status: (await this.status()).status };
    }
  }
}
