/** What the chaos happens to: a Temporal server and workers, all real processes of their own, and a client in this one. */
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { connect, type OstinatoClient } from '../../src/client.js';
import { loadConfig } from '../../src/config.js';
import { isProcess } from '../../src/dev/process.js';
import { findOrStartServer } from '../../src/dev/server.js';
import { readServerRecord } from '../../src/dev/server-record.js';
import { WorkerProcess, writeBundle, type WorkerProcessOptions } from '../../test/support/workers.js';
import type { Dice } from './dice.js';
import { chaosModel, type ChaosModel } from './model.js';

export const taskQueue = 'chaos';
const workerCount = 3;

export class World {
  readonly workers: (WorkerProcess | undefined)[] = [];
  /** Processes that ended by kill -9 so far. */
  readonly lost = { workers: 0, servers: 0 };
  /** Names of workers that were paused. */
  readonly paused = new Set<string>();
  /** What workers complained of before they ended. */
  complaints = '';
  #started = 0;
  #bundle = '';

  private constructor(
    readonly directory: string,
    readonly model: ChaosModel,
    readonly address: string,
    readonly temporal: Client,
    readonly client: OstinatoClient,
    private readonly breaks: WorkerProcessOptions['breaks'],
  ) {}

  static async open(dice: Dice, breaks?: WorkerProcessOptions['breaks']): Promise<World> {
    const directory = await mkdtemp(join(tmpdir(), 'ostinato-chaos-'));
    await mkdir(join(directory, 'effects'));
    const { address } = await startServer(directory);
    const config = loadConfig({ dataDir: join(directory, 'data'), address, taskQueue });
    const temporal = new Client({ connection: Connection.lazy({ address }), namespace: 'default' });
    const world = new World(directory, await chaosModel(dice), address, temporal, await connect({ config, temporal }), breaks);
    world.#bundle = await writeBundle(directory);
    for (let slot = 0; slot < workerCount; slot++) void world.#keepWorking(slot);
    await world.untilAlive(workerCount);
    return world;
  }

  get effects(): string {
    return join(this.directory, 'effects');
  }

  get alive(): WorkerProcess[] {
    return this.workers.filter((worker) => worker?.isAlive === true) as WorkerProcess[];
  }

  /** Waits until so many workers are there, though not for ever. */
  async untilAlive(count = workerCount): Promise<WorkerProcess[]> {
    for (const deadline = Date.now() + 20_000; this.alive.length < count && Date.now() < deadline;) await sleep(50);
    return this.alive;
  }

  /** `kill -9` of the Temporal server. It is back after a while. */
  async killServer(downMs: number): Promise<void> {
    const record = readServerRecord(join(this.directory, 'data'));
    if (!record || !isProcess(record.pid, record.database)) throw new Error('The Temporal server is not there.');
    process.kill(record.pid, 'SIGKILL');
    this.lost.servers += 1;
    await sleep(downMs);
    const { address } = await startServer(this.directory);
    if (address !== this.address) throw new Error(`The Temporal server came back at ${address}, not at ${this.address}.`);
  }

  /** Synchronous, so that it can be done whenever this process ends. Workers end by themselves without it. */
  end(): void {
    const record = readServerRecord(join(this.directory, 'data'));
    if (record && isProcess(record.pid, record.database)) process.kill(record.pid, 'SIGKILL');
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10 });
  }

  /** A worker that has ended is followed by another. */
  async #keepWorking(slot: number): Promise<void> {
    for (;;) {
      try {
        const worker = await WorkerProcess.start({
          name: `worker-${(this.#started += 1)}`,
          config: {
            address: this.address,
            namespace: 'default',
            dataDir: join(this.directory, 'data'),
            taskQueue,
            // Soon missed, and never given up: a run may lose a worker many times here.
            times: { model: { heartbeatMs: 2000, attempts: 50 }, tool: { heartbeatMs: 2000, attempts: 50 } },
            worker: { stickyTimeoutMs: 1000 },
          },
          baseURL: this.model.baseURL,
          bundle: this.#bundle,
          effects: this.effects,
          historyEvents: 60,
          breaks: this.breaks,
        });
        this.workers[slot] = worker;
        const how = await worker.ended;
        if (how === 'SIGKILL') this.lost.workers += 1;
        else this.complaints += `${worker.name} ended by itself (${how}).\n`;
        this.complaints += worker.errors;
      } catch (error) {
        // While the server is down no worker can start.
        this.complaints += `${String(error).slice(0, 300)}\n`;
        await sleep(500);
      }
    }
  }
}

async function startServer(directory: string) {
  return await findOrStartServer({ config: loadConfig({ dataDir: join(directory, 'data') }), ports: { server: 0, ui: 0 } });
}
