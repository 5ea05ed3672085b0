/** The only door in: start runs, come back to them, open sessions. */
import { Client, WithStartWorkflowOperation } from '@temporalio/client';
import type { AgentStateDocument } from './agent-state/document.js';
import { parseAgentState } from './agent-state/parse.js';
import { serializeAgentState } from './agent-state/serialize.js';
import type { Orchestration } from './agents/define-orchestration.js';
import { collect, type Collected, type CollectOptions } from './janitor/collect.js';
import type { ClientContext } from './client/context.js';
import { deleteRun, janitorStatus, type DeleteOptions, type DeletionReport } from './client/delete-run.js';
import { listRuns, type ListRuns } from './client/list-runs.js';
import { RunHandle } from './client/run-handle.js';
import { SessionHandle } from './client/session-handle.js';
import { diffSnapshots, type SnapshotDiff } from './client/diff.js';
import { exportSnapshot, importSnapshot } from './client/exports.js';
import { readStoredSnapshot } from './client/snapshots.js';
import { startRun } from './client/start-run.js';
import { waitingRequests, type ListRequests, type WaitingRun } from './client/waiting-requests.js';
import type { RunSummary } from './client/summary.js';
import { loadConfig, type Config } from './config.js';
import { connectClient } from './connection.js';
import type { AgentDefinition } from './contract/agent.js';
import type { JanitorStatus } from './contract/deletion.js';
import { documentOf, outputReader, type TypedInput } from './client/typed.js';
import { newRunId, sessionId } from './client/ids.js';
import { parseRunInput } from './contract/input-schema.js';
import type { PatternName } from './contract/pattern.js';
import type { RunInput } from './contract/run.js';
import type { AgentsToExport, RunExport, SnapshotRecord } from './contract/snapshot.js';
import { clientDataConverter } from './encryption/data-converter.js';
import type { EncryptionKey } from './encryption/keys.js';
import { openStore } from './store/open-store.js';
import type { Store } from './store/store.js';

export { loadConfig, type Config, type ConfigOverrides } from './config.js';
export type { RunHandle, WatchOptions } from './client/run-handle.js';
export type { SessionHandle } from './client/session-handle.js';
export type { Collected, CollectOptions } from './janitor/collect.js';
export type { DeleteOptions, DeletionReport } from './client/delete-run.js';
export type { DeletionProof, JanitorStatus } from './contract/deletion.js';
export type { SnapshotDiff } from './client/diff.js';
export type { RunExport, SnapshotRecord } from './contract/snapshot.js';
export type { RunSummary } from './client/summary.js';
export type { ListRequests, WaitingRun } from './client/waiting-requests.js';
export type { AskedRequest, Interaction } from './client/interact.js';
export type { CompleteMessage } from './client/callbacks.js';
export type { RunOutcome, TypedInput } from './client/typed.js';

export interface ConnectOptions {
  /** @default the settings in the environment */
  config?: Config;
  /** A Temporal client of one's own, for example of a test environment. @default a new connection */
  temporal?: Client;
  /** @default the store in the configured data directory */
  store?: Store;
}

export interface StartOptions {
  /** Workflow id. Starting under the id of an open run is refused. @default `<pattern>/<short id>` */
  id?: string;
}

/** What may be said otherwise than the snapshot has it. */
export interface LoadOptions extends StartOptions, Pick<RunInput, 'agents' | 'orchestration' | 'limits' | 'override'> {}

/**
 * Connects to Temporal and to the store.
 *
 * @throws `Connection.Failed` with what was tried
 * @example
 * await using client = await connect();
 * const run = await client.start('sequential', { agents: ['writer', 'editor'], task: 'Tea in three sentences.' });
 * console.log((await run.result()).output);
 */
export async function connect(options: ConnectOptions = {}): Promise<OstinatoClient> {
  const config = options.config ?? loadConfig();
  const connected = options.temporal ? undefined : await connectClient(config);
  const encryptionKeys = config.encryptionKeys();
  const temporal = options.temporal
    ? encrypting(options.temporal, encryptionKeys)
    : new Client({
        connection: connected?.connection,
        namespace: connected?.namespace,
        dataConverter: clientDataConverter(encryptionKeys),
      });
  const environment = { namespace: temporal.options.namespace, taskQueue: config.taskQueue };
  const store = options.store ?? (await openStore({ url: config.storeUrl(), dataDir: config.dataDir, environment, encryptionKeys }));
  return new OstinatoClient({ temporal, store, taskQueue: config.taskQueue }, async () => {
    if (!options.store) await store.close();
    await connected?.connection.close();
  });
}

export class OstinatoClient implements AsyncDisposable {
  constructor(
    private readonly context: ClientContext,
    /** Closes what `connect` opened. */
    readonly close: () => Promise<void>,
  ) {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Starts a run and returns at once.
   *
   * @param what a pattern's name (also one of your own), or an orchestration as defined: then its schemas say what the task and the
   * output are. Give its name as `orchestration` of a pattern where you want others
   * @throws `Input.Invalid` with every problem · `Input.TooLarge` · `Run.AlreadyExists`
   */
  async start<P extends PatternName, Task, Result>(
    what: Orchestration<P, Task, Result>,
    input: TypedInput<P, Task>,
    options?: StartOptions,
  ): Promise<RunHandle<Result>>;
  async start<P extends PatternName>(what: P, input: RunInput<P>, options?: StartOptions): Promise<RunHandle>;
  async start(what: string, input: RunInput, options?: StartOptions): Promise<RunHandle>;
  async start(what: string | Orchestration, input: object, { id }: StartOptions = {}): Promise<RunHandle<unknown>> {
    const pattern = typeof what === 'string' ? what : what.pattern;
    const document = typeof what === 'string' ? parseRunInput(pattern, input) : await documentOf(what, input as RunInput);
    const workflowId = id ?? newRunId(pattern);
    const summary = `${typeof what === 'string' ? what : what.name}: ${namesOf(document)}`;
    const firstRunId = await startRun(this.context, pattern, document, { workflowId, summary });
    const readOutput = typeof what === 'string' || document.output ? undefined : outputReader(what);
    return new RunHandle<unknown>(this.context, workflowId, firstRunId, readOutput);
  }

  /**
   * Starts a run from a snapshot, wherever that was made: as it was then, agents included. Agents or an orchestration given here have to
   * be those of the snapshot; `override` takes what is given instead, and the run remembers that.
   *
   * @throws `State.NotFound` · `State.Unreadable` · `State.Newer` · `State.Mismatch` with every difference (when the run starts) ·
   * `Run.AlreadyExists`
   */
  async load(snapshotId: string, { id, ...input }: LoadOptions = {}): Promise<RunHandle> {
    const { definition } = await readStoredSnapshot(this.context, snapshotId);
    return await this.start(definition.pattern, { ...input, snapshot: snapshotId }, { ...(id !== undefined && { id }) });
  }

  /** A snapshot with everything that belongs to it, as one JSON document. */
  async export(snapshotId: string, { agents }: { agents?: AgentsToExport } = {}): Promise<RunExport> {
    return await exportSnapshot(this.context, snapshotId, agents);
  }

  /**
   * Takes in what `export` gave, here or anywhere else. `load` goes on from there.
   *
   * @throws `State.Unreadable` with every problem; then nothing was written · `State.Newer`
   */
  async import(document: string | RunExport): Promise<SnapshotRecord> {
    return await importSnapshot(this.context, document);
  }

  /**
   * Takes in an agent's document of .NET, Python or another run. Give the id as `states` to a session or run: the agent goes on from
   * there.
   *
   * @throws `State.Unreadable` with every problem · `State.Newer` · `Input.TooLarge`
   */
  async importAgentState(document: string | AgentStateDocument): Promise<string> {
    const text = serializeAgentState(parseAgentState(document));
    return await this.context.store.blobs.put(typeof document === 'string' ? document : text);
  }

  /** Takes snapshots off the list; returns those that were on it. Runs that were loaded from them are not concerned. */
  async deleteSnapshots(ids: readonly string[]): Promise<SnapshotRecord[]> {
    const { snapshots } = this.context.store;
    const listed = await Promise.all(ids.map((id) => snapshots.get(id)));
    await snapshots.remove(ids);
    return listed.filter((record) => record !== undefined);
  }

  /**
   * Deletes from the store what neither a snapshot on the list nor a run that Temporal knows refers to, and did not the last time
   * either. Needs a worker that answers for every run; where one cannot be asked, nothing is deleted.
   */
  async collect(options?: CollectOptions): Promise<Collected> {
    return await collect(this.context, options);
  }

  /**
   * Deletes everything that there is of a run or session, those nested in it included: executions at Temporal, snapshots, events, and
   * the texts that nobody else refers to, once the grace is over. The janitor does it, which needs a worker; asked again, this tells how far
   * it is, and in the end what was found when all was looked for again.
   *
   * @throws `Run.Open` when it has not ended, unless `force` · `Run.OtherEnvironment`
   */
  async deleteRun(id: string, options?: DeleteOptions): Promise<DeletionReport> {
    return await deleteRun(this.context, id, options);
  }

  /** What the janitor has done last, what is due next, and what fails and why. `undefined`: there was nothing to do so far. */
  async janitor(): Promise<JanitorStatus | undefined> {
    return await janitorStatus(this.context);
  }

  /** What differs between two snapshots. */
  async diff(before: string, after: string): Promise<SnapshotDiff> {
    return await diffSnapshots(this.context, before, after);
  }

  /** Comes back to a run by its id, from any process. */
  attach(id: string): RunHandle;
  attach<P extends PatternName, Task, Result>(id: string, what: Orchestration<P, Task, Result>): RunHandle<Result>;
  attach(id: string, what?: Orchestration): RunHandle<unknown> {
    return new RunHandle<unknown>(this.context, id, undefined, what && outputReader(what));
  }

  /** The conversation with an agent under a key of yours. The same agent and key are the same session, whoever opens it. */
  session(agent: string | AgentDefinition, key: string, input: Omit<RunInput<'session'>, 'agents' | 'task'> = {}): SessionHandle {
    const name = typeof agent === 'string' ? agent : agent.name;
    const workflowId = sessionId(name, key);
    const document = parseRunInput('session', { ...input, agents: [agent] });
    const open = () =>
      new WithStartWorkflowOperation('session', {
        workflowId,
        taskQueue: this.context.taskQueue,
        args: [document],
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: `session with ${name}`,
      });
    return new SessionHandle(this.context, workflowId, open);
  }

  /**
   * What people are asked in all open runs of this environment, and by which run. Found by the search attribute `OstinatoWaitingFor`, which
   * is a moment behind; runs that do not have it are asked one by one, 200 at most. A run that cannot be asked is listed with its failure.
   */
  async requests(options: ListRequests = {}): Promise<WaitingRun[]> {
    return await waitingRequests(this.context, options);
  }

  /** Runs of this environment that Temporal still knows, newest first. */
  async list(options: ListRuns = {}): Promise<RunSummary[]> {
    return await listRuns(this.context, options);
  }
}

/** A client of one's own that has no codec gets ours: nothing leaves here readable once there are keys. */
function encrypting(temporal: Client, keys: readonly EncryptionKey[]): Client {
  const { connection, namespace, identity, interceptors, loadedDataConverter } = temporal.options;
  if (keys.length === 0 || loadedDataConverter.payloadCodecs.length > 0) return temporal;
  return new Client({ connection, namespace, identity, interceptors, dataConverter: clientDataConverter(keys) });
}

function namesOf({ agents = [] }: RunInput): string {
  return agents.map((agent) => (typeof agent === 'string' ? agent : agent.name)).join(', ') || 'as defined';
}
