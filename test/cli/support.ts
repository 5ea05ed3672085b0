/** The command as tests run it: in this process, where that is enough, or as a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { runCli } from '../../src/cli/cli.js';
import { Terminal } from '../../src/cli/terminal.js';
import { builtCommand } from '../support/built.js';

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

export interface RunOptions {
  cwd: string;
  env?: Record<string, string>;
  /** Of the command in this process. */
  stdin?: string;
  signal?: AbortSignal;
}

/** Runs the command in this process, where it sees nothing but these settings. */
export async function ostinato(args: string[], { cwd, env = {}, stdin = '', signal }: RunOptions): Promise<Ended> {
  const out = new Sink();
  const err = new Sink();
  const code = await runCli(args, {
    out,
    err,
    stdin: (async function* () {
      yield stdin;
    })(),
    env: { TEMPORAL_CONFIG_FILE: '/none.toml', ...env },
    cwd,
    signal: signal ?? new AbortController().signal,
  });
  return { code, out: out.text, err: err.text };
}

export interface Running extends AsyncDisposable {
  readonly pid: number;
  out(): string;
  err(): string;
  /** Waits until it has said this on either stream. */
  says(words: RegExp | string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
  readonly process: ChildProcess;
}

/** Starts the command as a process of its own. Killed when disposed of. */
export function startOstinato(args: string[], { cwd, env = {} }: RunOptions): Running {
  const child = spawn(process.execPath, [builtCommand, ...args], {
    cwd,
    // Settings of other tests are gone already, see global-setup.ts.
    env: { ...process.env, NODE_NO_WARNINGS: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (text.out += String(chunk)));
  child.stderr.on('data', (chunk) => (text.err += String(chunk)));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...text }));
  return {
    pid: child.pid!,
    process: child,
    out: () => text.out,
    err: () => text.err,
    ended,
    kill: (signal) => void child.kill(signal),
    async says(words) {
      const found = () => (typeof words === 'string' ? text.out + text.err : text.out + text.err).search(words) >= 0;
      let isOver = false;
      void ended.then(() => (isOver = true));
      while (!found()) {
        if (isOver) throw new Error(`It ended without saying ${words}:\n${text.out}\n${text.err}`);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs the command as a process of its own, to its end. */
export async function ostinatoProcess(args: string[], options: RunOptions): Promise<Ended> {
  await using running = startOstinato(args, options);
  return await running.ended;
}

/** A terminal whose words can be read. */
export function recordedTerminal(options: { json?: boolean; isTTY?: boolean } = {}) {
  const out = new Sink(options.isTTY);
  const err = new Sink(options.isTTY);
  return { terminal: new Terminal({ out, err, json: options.json }), out: () => out.text, err: () => err.text };
}

export class Sink extends Writable {
  text = '';
  readonly columns = 80;

  constructor(readonly isTTY = false) {
    super();
  }

  override _write(chunk: Buffer | string, _: BufferEncoding, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}
