/** Python with Microsoft's packages, in a virtual environment that is made once and kept in the cache. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadConfig } from '../../src/config.js';

const folder = fileURLToPath(new URL('../../test/interop/', import.meta.url));
const execute = promisify(execFile);

export interface Request {
  create?: boolean;
  rewrite?: { [name: string]: string };
  go_on?: { [name: string]: string };
}

export type Answer = { [part in 'create' | 'rewrite' | 'go_on' | 'errors']: { [name: string]: string } };

/** Returns how to ask Microsoft's classes. */
export async function openPython(): Promise<(request: Request) => Promise<Answer>> {
  const python = await environment();
  return (request) => ask(python, request);
}

async function environment(): Promise<string> {
  const requirements = join(folder, 'requirements.txt');
  const version = await systemPython();
  const hash = createHash('sha256')
    .update(version + (await readFile(requirements, 'utf8')))
    .digest('hex');
  const place = join(loadConfig().cacheDir, `interop-${hash.slice(0, 16)}`);
  const python = process.platform === 'win32' ? join(place, 'Scripts', 'python.exe') : join(place, 'bin', 'python');
  const ready = join(place, 'ready');
  if (await exists(ready)) return python;
  console.error('Installing agent-framework-durabletask, once …');
  await rm(place, { recursive: true, force: true });
  await mkdir(loadConfig().cacheDir, { recursive: true });
  await execute('python3', ['-m', 'venv', place]);
  await execute(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
  // Last, so that what was broken off is begun again.
  await mkdir(`${ready}.part`);
  await rename(`${ready}.part`, ready);
  return python;
}

async function systemPython(): Promise<string> {
  const needed = 'Python 3.10 or newer, called python3 and with its venv module, is needed to try what Python reads.';
  const { stdout } = await execute('python3', ['-c', 'import sys, venv; print(*sys.version_info[:2])']).catch((error: Error) => {
    throw new Error(`${needed} It could not be run: ${error.message.trim()}`);
  });
  const [major = 0, minor = 0] = stdout.trim().split(' ').map(Number);
  if (major !== 3 || minor < 10) throw new Error(`${needed} This is ${major}.${minor}.`);
  return stdout.trim();
}

function ask(python: string, request: Request): Promise<Answer> {
  const child = spawn(python, [join(folder, 'durable_state.py')], { stdio: ['pipe', 'pipe', 'pipe'] });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.end(JSON.stringify(request));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(Buffer.concat(out).toString()) as Answer);
      else reject(new Error(`Python ended with ${code}:\n${Buffer.concat(err).toString()}`));
    });
  });
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
