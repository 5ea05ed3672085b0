/** Workers as processes of their own, to be stopped, paused and killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtWorkflows } from './built.js';
import type { Order, Report, ToolCallLine, WorkerProcessOptions } from '../fixtures/worker-process.js';

export type { WorkerProcessOptions } from '../fixtures/worker-process.js';

const script = fileURLToPath(new URL('../fixtures/worker-process.ts', import.meta.url));

export class WorkerProcess {
  /** Queries that it sent, by name. */
  readonly queries: string[] = [];
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  readonly #listeners = new Map<Report['is'], (() => void)[]>();
  #isAlive = true;
  #errors = '';

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    child.stderr?.on('data', (chunk) => (this.#errors += String(chunk)));
    child.on('message', (report: Report) => {
      if (report.is === 'asking') this.queries.push(report.query);
      else for (const listen of this.#listeners.get(report.is)?.splice(0) ?? []) listen();
    });
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#isAlive = false;
        resolve(signal ?? code ?? 'unknown');
      });
    });
  }

  /** Returns when it works. */
  static async start(options: WorkerProcessOptions): Promise<WorkerProcess> {
    const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(options)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const worker = new WorkerProcess(options.name, child);
    await worker.#hears('working');
    return worker;
  }

  get pid(): number {
    return this.child.pid!;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** What it said on its way. */
  get errors(): string {
    return this.#errors;
  }

  /** `kill -9`. Returns when it has ended. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** SIGTERM. Returns when it has begun to leave, with what its exit code will be. */
  async terminate(): Promise<{ exit: Promise<number | string> }> {
    const leaving = this.#hears('leaving');
    this.child.kill('SIGTERM');
    await leaving.catch(() => undefined);
    return { exit: this.ended };
  }

  pause(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  /**
   * It ends itself by kill -9 at the first point that matches, for example `callModel put after`: see `reach` in the fixture. Returns when
   * it knows that, or has ended.
   */
  async dieAt(point: string): Promise<void> {
    if (!this.isAlive) return;
    const known = this.#hears('mortal');
    this.#tell({ do: 'die at', point });
    await Promise.race([known.catch(() => undefined), this.ended]);
  }

  /** It stops working and stays. */
  async rest(): Promise<void> {
    const resting = this.#hears('resting');
    this.#tell({ do: 'rest' });
    await resting;
  }

  /** A new worker in the same process: it has never seen anything. */
  async work(): Promise<void> {
    const working = this.#hears('working');
    this.#tell({ do: 'work' });
    await working;
  }

  #tell(order: Order): void {
    // Whoever has just ended hears nothing.
    if (this.child.connected) this.child.send(order, () => undefined);
  }

  async #hears(kind: Report['is']): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#listeners.set(kind, [...(this.#listeners.get(kind) ?? []), resolve]);
      void this.ended.then((how) => reject(new Error(`Worker ${this.name} ended (${how}): ${this.#errors}`)));
    });
  }
}

/** Made once, so that no process has to. */
export async function writeBundle(directory: string): Promise<string> {
  const path = join(directory, 'workflows.js');
  await writeFile(path, builtWorkflows().code);
  return path;
}

/** Every call of a tool that began, in order. */
export function toolCalls(effects: string): ToolCallLine[] {
  const file = join(effects, 'calls.jsonl');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as ToolCallLine);
}

/** How often each text took effect, by tool: `note.hello` → 1. */
export function effectCounts(effects: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const file of readdirSync(effects)) {
    const [tool, text, key] = file.split('.');
    if (key === undefined || key === '') continue;
    counts.set(`${tool}.${text}`, (counts.get(`${tool}.${text}`) ?? 0) + 1);
  }
  return counts;
}
