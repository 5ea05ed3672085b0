/** A worker, a scripted model and a client around a Temporal test environment: everything real but the model's mind. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Application } from '../application.js';
import { connect, type OstinatoClient } from '../client.js';
import { loadConfig, type ConfigOverrides } from '../config.js';
import { openStore } from '../store/open-store.js';
import type { Store } from '../store/store.js';
import { bundleWorkflows, startWorker, type RunningWorker, type WorkerOptions } from '../worker.js';
import { scriptedModel, type Script, type ScriptedModel } from './scripted-model.js';

export interface WorldOptions extends Omit<Application, 'providers'> {
  /** `await TestWorkflowEnvironment.createTimeSkipping()` or `.createLocal()`; the caller tears it down. */
  environment: TestWorkflowEnvironment;
  /** What the model says, in order. See `scriptedModel`. */
  script?: Script;
  /** Settings; a task queue and a data directory of its own are the default. */
  config?: ConfigOverrides;
  /** Continue runs as new beyond so many history events. */
  historyEvents?: number;
  /** Made before by `bundleWorkflows()`, for several files of tests: saves each about two seconds. */
  workflowBundle?: { code: string };
}

export interface World extends AsyncDisposable {
  client: OstinatoClient;
  model: ScriptedModel;
  store: Store;
  taskQueue: string;
  worker: RunningWorker;
  /** Another worker on the same task queue and store. */
  startWorker(options?: Partial<WorkerOptions>): Promise<RunningWorker>;
}

const bundles = new Map<string | undefined, Promise<{ code: string }>>();

/**
 * @example
 * const world = await openWorld({ environment, agents: [writer], script: ['A draft.'] });
 * const run = await world.client.start('sequential', { agents: ['writer'], task: 'tea' });
 * expect((await run.result()).output).toBe('A draft.');
 */
export async function openWorld({
  environment,
  script = [],
  config: overrides,
  historyEvents,
  workflowBundle,
  ...application
}: WorldOptions): Promise<World> {
  const ownDir = overrides?.dataDir === undefined ? await mkdtemp(join(tmpdir(), 'ostinato-world-')) : undefined;
  const taskQueue = overrides?.taskQueue ?? `test-${randomUUID()}`;
  const config = loadConfig({ ...overrides, taskQueue, dataDir: overrides?.dataDir ?? ownDir });
  const namespace = environment.client.options.namespace;
  const store = await openStore({
    url: overrides?.storeUrl,
    dataDir: config.dataDir,
    environment: { namespace, taskQueue },
    encryptionKeys: config.encryptionKeys(),
  });
  const model = await scriptedModel(script);
  const workers: RunningWorker[] = [];
  const start = async (options: Partial<WorkerOptions> = {}) => {
    const { workflowsPath = application.workflowsPath } = options;
    const made = workflowsPath === undefined ? workflowBundle : undefined;
    if (!made && !bundles.has(workflowsPath)) bundles.set(workflowsPath, bundleWorkflows(workflowsPath));
    const worker = await startWorker({
      ...application,
      config,
      connection: environment.nativeConnection,
      namespace,
      store,
      providers: model.providers(),
      workflowBundle: made ?? (await bundles.get(workflowsPath)),
      historyEvents,
      ...options,
    });
    workers.push(worker);
    return worker;
  };
  const worker = await start();
  const client = await connect({ config, temporal: environment.client, store });
  return {
    client,
    model,
    store,
    taskQueue,
    worker,
    startWorker: start,
    async [Symbol.asyncDispose]() {
      for (const started of workers) await started.stop().catch(() => undefined);
      await client.close();
      await model.close();
      await store.close();
      if (ownDir) await rm(ownDir, { recursive: true, force: true });
    },
  };
}
