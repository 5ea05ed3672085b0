/** Programs of the machine we run on: finding one, and running one to its end. */
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Environment } from '../config.js';

/** The executable of that name on the PATH, as the shell would find it. */
export async function findOnPath(name: string, env: Environment): Promise<string | undefined> {
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd', '.bat'] : [''];
  for (const directory of (env.PATH ?? env.Path ?? '').split(delimiter).filter(isAbsolute)) {
    for (const suffix of suffixes) {
      const path = join(directory, name + suffix);
      if (await isExecutable(path)) return path;
    }
  }
  return undefined;
}

export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

export interface RunOptions {
  env: Environment;
  cwd?: string;
  /** Ended after so long. */
  timeoutMs: number;
  /** Ended when aborted. */
  signal?: AbortSignal;
}

/**
 * Runs a program to its end and returns what it printed.
 *
 * @throws an `Error` with its last words, when it fails or takes too long
 */
export function run(command: string, args: string[], { env, cwd, timeoutMs, signal }: RunOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...env },
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]),
      killSignal: 'SIGKILL',
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-64_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => {
      const stopped = signal?.aborted ? String(signal.reason) : `no end after ${timeoutMs / 1000} seconds`;
      reject(error.name === 'AbortError' ? new Error(stopped) : error);
    });
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(lastLine(output) || `ended with code ${code}`))));
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
