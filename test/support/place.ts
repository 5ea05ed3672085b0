/** A store, a model, a client, and workers as processes of their own, which are killed. On the shared server. */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { expect } from 'vitest';
import { connect, type OstinatoClient } from '../../src/client.js';
import type { ConfigOverrides } from '../../src/config.js';
import { scriptedModel, type ScriptedCall, type ScriptedModel, type ScriptedReply } from '../../src/testing/index.js';
import { devServerConfig } from './servers.js';
import { temporaryDirectory } from './temporary.js';
import { WorkerProcess, writeBundle } from './workers.js';

export interface PlaceOptions {
  environment: TestWorkflowEnvironment;
  answer: (call: ScriptedCall) => ScriptedReply | Promise<ScriptedReply>;
  /** Of workers and of the client. */
  config?: ConfigOverrides;
}

export class Place implements AsyncDisposable {
  readonly #workers: WorkerProcess[] = [];

  private constructor(
    readonly taskQueue: string,
    readonly model: ScriptedModel,
    readonly client: OstinatoClient,
    private readonly directory: Awaited<ReturnType<typeof temporaryDirectory>>,
    private readonly bundle: string,
    private readonly config: ConfigOverrides,
  ) {}

  static async open({ environment, answer, config: more = {} }: PlaceOptions): Promise<Place> {
    const directory = await temporaryDirectory();
    await mkdir(join(directory.path, 'effects'));
    const config = { ...more, dataDir: join(directory.path, 'data'), taskQueue: `place-${randomUUID()}` };
    const client = await connect({ config: devServerConfig(config), temporal: environment.client });
    const [model, bundle] = await Promise.all([scriptedModel(answer), writeBundle(directory.path)]);
    const place = new Place(config.taskQueue, model, client, directory, bundle, config);
    await place.begin();
    return place;
  }

  get dataDir(): string {
    return join(this.directory.path, 'data');
  }

  get effects(): string {
    return join(this.directory.path, 'effects');
  }

  /** Of other things that are to be gone with it. */
  get path(): string {
    return this.directory.path;
  }

  /** One more worker. */
  async begin(): Promise<WorkerProcess> {
    const { address, namespace } = devServerConfig();
    const worker = await WorkerProcess.start({
      name: `worker-${this.#workers.length + 1}`,
      config: {
        times: { model: { heartbeatMs: 5000 } },
        worker: { stickyTimeoutMs: 1000 },
        ...this.config,
        address: address!,
        namespace: namespace!,
      },
      baseURL: this.model.baseURL,
      bundle: this.bundle,
      effects: this.effects,
    });
    this.#workers.push(worker);
    return worker;
  }

  /** The last worker ends itself by kill -9 at this point, which it comes to while this is done; then another one goes on. */
  async losing<T>(point: string, work: () => Promise<T>, meanwhile: () => Promise<unknown> = async () => undefined): Promise<T> {
    await this.#last.dieAt(`^${point}$`);
    const working = work();
    working.catch(() => undefined);
    const reached = await Promise.race([this.#last.ended, working.then(() => `"${point}" was not reached`)]);
    expect(reached).toBe('SIGKILL');
    await meanwhile();
    await this.begin();
    return await working;
  }

  /** Another one goes on. */
  async lose(): Promise<void> {
    await this.#last.kill();
    await this.begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.kill()));
    await this.client.close();
    await this.model.close();
    await this.directory[Symbol.asyncDispose]();
  }

  get #last(): WorkerProcess {
    return this.#workers.at(-1)!;
  }
}
