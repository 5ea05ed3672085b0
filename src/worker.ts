/** Composition root: agents, tools, providers and a store become a Temporal worker. */
import { Worker, type NativeConnection, type WorkerOptions as TemporalWorkerOptions } from '@temporalio/worker';
import { Client } from '@temporalio/client';
import { createActivities } from './activities/index.js';
import { modelQueue } from './activities/prepare-run.js';
import type { Application } from './application.js';
import { createAgentRegistry } from './agents/registry.js';
import { loadConfig, type Config } from './config.js';
import { connectWorker } from './connection.js';
import { workerDataConverter } from './encryption/data-converter.js';
import { createFunctionRegistry } from './functions/registry.js';
import { rouse } from './janitor/rouse.js';
import { createProviders, type ProvidersOptions } from './llm/providers.js';
import { standInNotice, startStandIn } from './llm/stand-in.js';
import { openStore } from './store/open-store.js';
import type { Store } from './store/store.js';
import { createToolRegistry } from './tools/registry.js';
import { foreignStorage } from './worker/foreign-storage.js';
import { notifierOf } from './worker/notifier.js';
import { registeredAttributes } from './worker/search-attributes.js';
import { bundleWorkflows, withEncodedFailures } from './worker/workflow-bundle.js';

export { bundleWorkflows } from './worker/workflow-bundle.js';
export { loadConfig, type Config, type ConfigOverrides } from './config.js';
export type { Application } from './application.js';

export interface WorkerOptions extends Application {
  /** @default the settings in the environment */
  config?: Config;
  /** A connection of one's own, for example of a test environment. @default a new one */
  connection?: NativeConnection;
  namespace?: string;
  /** @default the store in the configured data directory */
  store?: Store;
  /** A bundle made before, by `bundleWorkflows`: saves about two seconds per worker. */
  workflowBundle?: TemporalWorkerOptions['workflowBundle'];
  /** Continue runs as new beyond so many history events. @default when the server suggests it */
  historyEvents?: number;
  identity?: string;
}

export interface RunningWorker extends AsyncDisposable {
  /** Model calls are answered by the built-in stand-in, not by a model. */
  readonly usesStandIn: boolean;
  /** What people should know before they read its words, if anything. */
  readonly notice?: string;
  /** Resolves when the worker has stopped, rejects when it broke. */
  readonly stopped: Promise<void>;
  /** Takes no more work, lets steps in flight end within the grace time, and stops. */
  stop(): Promise<void>;
}

/**
 * Starts a worker and returns when it takes work.
 *
 * @throws `Connection.Failed` · `Input.Invalid` when the application's definitions contradict each other
 * @example
 * const worker = await startWorker({ agents: [guide] });
 * await worker.stopped;
 */
export async function startWorker(options: WorkerOptions = {}): Promise<RunningWorker> {
  const resources = new Resources();
  try {
    const { workers, usesStandIn, rouseJanitor } = await createWorkers(options, resources);
    const stopped = runAll(workers).finally(() => resources.close());
    stopped.catch(() => undefined);
    await rouseJanitor();
    const stop = async () => {
      shutDown(workers);
      await stopped;
    };
    return { usesStandIn, ...(usesStandIn && { notice: standInNotice }), stopped, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    // A worker that never ran cannot let go of its connection: that must not hide why.
    await resources.close().catch(() => undefined);
    throw error;
  }
}

/** When one breaks, the others stop as well. Returns when all have, so that nothing is closed under them. */
async function runAll(workers: Worker[]): Promise<void> {
  const outcomes = await Promise.allSettled(workers.map((worker) => worker.run().finally(() => shutDown(workers))));
  const broken = outcomes.find((outcome) => outcome.status === 'rejected');
  if (broken) throw broken.reason;
}

function shutDown(workers: Worker[]): void {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
}

async function createWorkers(
  options: WorkerOptions,
  resources: Resources,
): Promise<{ workers: Worker[]; usesStandIn: boolean; rouseJanitor: () => Promise<void> }> {
  const config = options.config ?? loadConfig();
  const encryptionKeys = config.encryptionKeys();
  const tools = createToolRegistry(options.tools ?? []);
  const functions = createFunctionRegistry(options.functions ?? []);
  const agents = createAgentRegistry(options.agents ?? [], options.orchestrations ?? [], tools, functions);
  const { connection, namespace } = await connectionOf(options, config, resources);
  const store =
    options.store ??
    (await openStore({
      url: config.storeUrl(),
      dataDir: config.dataDir,
      environment: { namespace, taskQueue: config.taskQueue },
      encryptionKeys,
    }));
  if (!options.store) resources.add(() => store.close());
  const notifier = notifierOf(options.notify, functions, config, namespace);
  const standIn = !options.providers && !config.providers.default ? await startStandIn() : undefined;
  if (standIn) resources.add(() => standIn.close());
  const providers = createProviders(options.providers ?? providersOf(config, standIn?.baseURL));

  const activities = createActivities({
    agents,
    tools,
    functions,
    providers,
    store,
    expireAfter: config.expireAfterMs,
    janitor: config.janitor,
    ...(notifier && { notifier }),
    settings: {
      times: config.times,
      ...(await registeredAttributes(connection, namespace)),
      sleepAfterMs: config.worker.sleepAfterMs,
      ...(config.keepFinished && { keepFinished: true }),
      audit: true,
      ...(notifier && { notifies: true }),
      ...(options.historyEvents && { historyEvents: options.historyEvents }),
    },
  });
  const shared: TemporalWorkerOptions = {
    connection,
    namespace,
    taskQueue: config.taskQueue,
    activities,
    dataConverter: { ...workerDataConverter(encryptionKeys), externalStorage: foreignStorage },
    shutdownGraceTime: config.worker.shutdownGraceMs,
    // Cancellation reaches an activity with its heartbeats: with the SDK's default it would take most of a minute.
    maxHeartbeatThrottleInterval: '1 second',
    maxConcurrentActivityTaskExecutions: config.worker.maxConcurrentSteps,
    ...(options.identity && { identity: options.identity }),
  };
  const workflowBundle = options.workflowBundle ?? (await bundleWorkflows(options.workflowsPath));
  const main = Worker.create({
    ...shared,
    workflowBundle: encryptionKeys.length > 0 ? withEncodedFailures(workflowBundle) : workflowBundle,
    stickyQueueScheduleToStartTimeout: config.worker.stickyTimeoutMs,
    ...(config.worker.maxCachedWorkflows !== undefined && { maxCachedWorkflows: config.worker.maxCachedWorkflows }),
  });
  const rationed = [...providers.entries].flatMap(([name, { maxCallsPerSecond }]) => {
    if (maxCallsPerSecond === undefined) return [];
    // The server rations a task queue over all workers that poll it.
    const taskQueue = modelQueue(config.taskQueue, name);
    return [Worker.create({ ...shared, taskQueue, maxTaskQueueActivitiesPerSecond: maxCallsPerSecond })];
  });
  const temporal = new Client({ connection, namespace, dataConverter: shared.dataConverter });
  // Should somebody have ended it, or lost it with the server.
  const rouseJanitor = async () => {
    if ((await store.deletions.outlook(0)).count > 0) await rouse({ temporal, taskQueue: config.taskQueue });
  };
  return { workers: await Promise.all([main, ...rationed]), usesStandIn: standIn !== undefined, rouseJanitor };
}

async function connectionOf(options: WorkerOptions, config: Config, resources: Resources) {
  if (options.connection) return { connection: options.connection, namespace: options.namespace ?? 'default' };
  const { connection, namespace } = await connectWorker(config);
  resources.add(() => connection.close());
  return { connection, namespace };
}

/** What a worker opened, closed in reverse order. */
class Resources {
  readonly #closers: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

function providersOf({ providers }: Config, standInURL: string | undefined): ProvidersOptions {
  const standard = providers.default ?? { baseURL: standInURL, apiKey: () => 'stand-in', ...providers.limits };
  return { default: standard, named: providers.named, defaultModel: providers.defaultModel };
}
