/** Processes of our own code, to be killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Held<T> {
  pid: number;
  /** What it said it has. */
  said: T;
  /** `kill -9`. Returns when it has ended. */
  kill(): Promise<void>;
}

/** Starts `hold.ts` with these arguments and returns once it has what it was asked to hold. */
export async function hold<T = object>(...args: string[]): Promise<Held<T>> {
  const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('hold.ts', import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  let output = '';
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  const said = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += String(chunk);
      if (output.includes('\n')) resolve(output);
    });
    child.once('exit', (code) => reject(new Error(`hold.ts ended with ${code}: ${errors}`)));
  });
  return {
    said: JSON.parse(await said) as T,
    pid: child.pid!,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
