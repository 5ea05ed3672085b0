/**
 * The services of docker-compose.yml as processes of this machine, where no Docker is at hand: environment, commands, settings and
 * schema are those of the file. What Docker would do is done here: names of services become ports of 127.0.0.1, and mounts become paths.
 */
import { execFile } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findOnPath } from '../../src/dev/program.js';
import { freePort } from '../../src/dev/ports.js';
import { build, builtCommand } from '../support/built.js';
import { exampleVariables, readCompose, root, type ComposeService } from '../support/compose.js';
import { guarded, type Guarded } from '../support/guarded.js';
import { postgresServer, type PostgresServer } from '../support/postgres.js';
import { temporalPrograms } from './programs.js';

const variables = {
  ...exampleVariables(),
  POSTGRES_PASSWORD: randomBytes(24).toString('hex'),
  STORE_PASSWORD: randomBytes(24).toString('hex'),
};
const { services } = readCompose(variables);

export interface StackWorker extends Guarded {
  /** What the image's health check says. */
  isHealthy(): Promise<boolean>;
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export class Stack implements AsyncDisposable {
  private readonly directory = mkdtempSync(join(tmpdir(), 'ostinato-stack-'));
  private readonly running = new Set<Guarded>();
  private postgres!: PostgresServer;
  private temporal!: Guarded;
  private postgresPort!: string;
  private temporalPorts!: { [variable: string]: string };
  private started = 0;

  private constructor(private readonly say: (words: string) => void) {}

  /** Everything but workers. */
  static async start(say: (words: string) => void): Promise<Stack> {
    const stack = new Stack(say);
    try {
      await stack.#programs();
      await stack.#startPostgres();
      await stack.runOnce('schema');
      await stack.startTemporal();
      await stack.runOnce('namespace');
      return stack;
    } catch (error) {
      for (const { log } of stack.running) say(log().slice(-3000));
      await stack[Symbol.asyncDispose]();
      throw error;
    }
  }

  get address(): string {
    return `127.0.0.1:${this.temporalPorts.FRONTEND_GRPC_PORT}`;
  }

  /** All that somebody outside has to know. */
  get outside(): { TEMPORAL_ADDRESS: string; OSTINATO_STORE_URL: string } {
    const { OSTINATO_STORE_URL } = this.environmentOf('worker');
    return { TEMPORAL_ADDRESS: this.address, OSTINATO_STORE_URL: OSTINATO_STORE_URL! };
  }

  /** Runs a program that is in Temporal's images: `temporal`, `temporal-server`, `temporal-sql-tool`. */
  async program(name: string, ...args: string[]): Promise<string> {
    return await run([join(this.directory, 'bin', name), ...args], { HOME: this.directory, TEMPORAL_ADDRESS: this.address });
  }

  /** A service that does one thing and ends: its commands, as they stand. */
  async runOnce(name: string): Promise<string> {
    this.say(`Service ${name}`);
    const { entrypoint = [], command = [] } = services[name]!;
    return await run([...entrypoint, ...command], {
      HOME: this.directory,
      PATH: `${join(this.directory, 'bin')}:${process.env.PATH}`,
      ...this.environmentOf(name),
    });
  }

  /** Also again, after `stopTemporal`: on the ports of before. */
  async startTemporal(): Promise<void> {
    this.say('Service temporal');
    this.temporalPorts ??= await portsOfServer();
    const env = {
      ...this.environmentOf('temporal'),
      ...this.temporalPorts,
      // What the image's entry point makes of the address of its container.
      BIND_ON_IP: '127.0.0.1',
      TEMPORAL_BROADCAST_ADDRESS: '127.0.0.1',
    };
    this.temporal = await this.#process('temporal', [join(this.directory, 'bin', 'temporal-server'), 'start'], root, env);
    await untilListening(Number(this.temporalPorts.FRONTEND_GRPC_PORT), this.temporal);
  }

  async stopTemporal(): Promise<void> {
    process.kill(this.temporal.pid, 'SIGTERM');
    await this.temporal.ended;
  }

  /** @param settings what `worker.env` says */
  async startWorker(settings: { [name: string]: string }): Promise<StackWorker> {
    this.say('Service worker');
    const health = join(this.directory, `health-${(this.started += 1)}`);
    const { command, check, file } = imageOfWorker();
    const args = command.map((word) => word.replace(file, health));
    const project = mountsOf(services.worker!)['/app/project']!;
    const env = { PATH: process.env.PATH, HOME: this.directory, ...settings, ...this.environmentOf('worker') };
    const worker = await this.#process('worker', [process.execPath, builtCommand, ...args], project, env);
    await until(worker, () => worker.log().includes('Working on task queue'));
    return {
      ...worker,
      isHealthy: () =>
        run(['/bin/sh', '-c', check.replace(file, health)], {}).then(
          () => true,
          () => false,
        ),
      end: async (signal) => {
        process.kill(worker.pid, signal);
        await worker.ended;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pid, ended } of [...this.running]) {
      process.kill(pid, 'SIGKILL');
      await ended;
    }
    await this.postgres?.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** A service's environment, with this machine's addresses and paths in it. */
  private environmentOf(name: string): { [variable: string]: string } {
    const here = (value: string): string => {
      if (value === 'postgres') return '127.0.0.1';
      if (value === '5432') return this.postgresPort;
      const [target, source] = Object.entries(mountsOf(services[name]!)).find(([target]) => value.startsWith(`${target}/`)) ?? [];
      if (target !== undefined) return value.replace(target, source!);
      return value.replace('postgres:5432', `127.0.0.1:${this.postgresPort}`).replace('temporal:7233', () => this.address);
    };
    return Object.fromEntries(Object.entries(services[name]!.environment ?? {}).map(([variable, value]) => [variable, here(value)]));
  }

  async #programs(): Promise<void> {
    build();
    const version = services.temporal!.image.split(':')[1]!;
    const bin = join(this.directory, 'bin');
    mkdirSync(bin);
    for (const [name, path] of Object.entries(await temporalPrograms(version, this.say))) symlinkSync(path, join(bin, name));
  }

  /** As the image does it: the owner, and then the files of the directory that is there for this. */
  async #startPostgres(): Promise<void> {
    this.say('Service postgres');
    const { command = [], environment = {} } = services.postgres!;
    const settings = command.filter((word) => word.includes('=')).map((word) => word.split('=') as [string, string]);
    this.postgres = await postgresServer(Object.fromEntries(settings));
    const { POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: database } = environment;
    const url = await this.postgres.url(database);
    this.postgresPort = new URL(url).port;
    await this.postgres.query(url, `CREATE ROLE "${user}" SUPERUSER LOGIN PASSWORD '${password}'`);
    const psql = await findOnPath('psql', process.env);
    if (!psql) throw new Error('There is no psql: install the package postgresql.');
    const scripts = mountsOf(services.postgres!)['/docker-entrypoint-initdb.d']!;
    for (const script of readdirSync(scripts).sort()) {
      const args = ['-v', 'ON_ERROR_STOP=1', '-h', '127.0.0.1', '-p', this.postgresPort, '-U', user!, '-d', database!];
      await run([psql, ...args, '-f', join(scripts, script)], { ...environment, PATH: process.env.PATH, PGPASSWORD: password });
    }
  }

  async #process(name: string, command: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Guarded> {
    const directory = mkdtempSync(join(this.directory, `${name}-`));
    const started = await guarded(command, { directory, cwd, env });
    this.running.add(started);
    void started.ended.then(() => this.running.delete(started));
    return started;
  }
}

/** The image's command, and its health check with the file that it looks at. */
function imageOfWorker(): { command: string[]; check: string; file: string } {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
  const [, command = ''] = /^CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  const [, check = ''] = /^HEALTHCHECK .*\\\n\s*CMD (.*)$/m.exec(dockerfile) ?? [];
  return { command: JSON.parse(command) as string[], check, file: /find (\S+)/.exec(check)![1]! };
}

/** Paths of this machine, by the paths that they have in the container. */
function mountsOf({ volumes = [] }: ComposeService): { [target: string]: string } {
  return Object.fromEntries(volumes.map((volume) => volume.split(':')).map(([source, target]) => [target, join(root, source!)]));
}

/** Its four parts and its API listen on ports of their own, below 32768: the database has no room for a higher number. */
async function portsOfServer(): Promise<{ [variable: string]: string }> {
  const parts = ['FRONTEND', 'MATCHING', 'HISTORY', 'WORKER'];
  const names = [...parts.flatMap((part) => [`${part}_GRPC_PORT`, `${part}_MEMBERSHIP_PORT`]), 'FRONTEND_HTTP_PORT'];
  const ports = new Set<number>();
  while (ports.size < names.length) {
    const port = await freePort([randomInt(20_000, 32_000)]);
    if (port < 32_768) ports.add(port);
  }
  return Object.fromEntries([...ports].map((port, index) => [names[index]!, String(port)]));
}

async function untilListening(port: number, server: Guarded): Promise<void> {
  await until(server, async () => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    return isOpen;
  });
}

async function until(process: Guarded, isTrue: () => boolean | Promise<boolean>, timeoutMs = 90_000): Promise<void> {
  let isOver = false;
  void process.ended.then(() => (isOver = true));
  for (const deadline = Date.now() + timeoutMs; !(await isTrue()); await sleep(100)) {
    if (isOver || Date.now() > deadline) throw new Error(`It does not start:\n${process.log().slice(-3000)}`);
  }
}

async function run([command, ...args]: string[], env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(command!, args, { env, timeout: 180_000, maxBuffer: 16 * 1024 * 1024 });
  return stdout + stderr;
}
