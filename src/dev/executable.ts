/** An executable that is kept in the cache: found there, or made once, by the first way that works. */
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../config.js';
import { fail } from '../contract/failure.js';
import { withLock } from './lock.js';
import { isExecutable } from './program.js';
import type { OnProgress } from './progress.js';

export interface Way {
  /** For people, as the end of "… could not be had: ". */
  name: string;
  /** Leaves the executable at `path`; what belongs to it goes beside it. Throws when this way is closed. */
  make(path: string, context: MakeContext): Promise<void>;
}

export interface MakeContext {
  env: Environment;
  onProgress?: OnProgress;
}

export interface CacheOptions extends MakeContext {
  cacheDir: string;
}

/** Path of the executable, or why each way to have it is closed. Processes that want it at the same time make it once. */
export async function provide(name: string, ways: Way[], options: CacheOptions): Promise<{ path: string } | { reasons: string[] }> {
  const { cacheDir, onProgress } = options;
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  const path = join(cacheDir, name, file);
  if (await isExecutable(path)) return { path };
  await makeDirectory(cacheDir, 'OSTINATO_CACHE_DIR');
  const onWait = (seconds: number) => onProgress?.(`Waiting for another process that is fetching ${name} (${seconds} s)`);
  return await withLock(
    join(cacheDir, `${name}.lock`),
    async () => {
      if (await isExecutable(path)) return { path };
      await removeLeftovers(cacheDir, name);
      const reasons: string[] = [];
      for (const way of ways) {
        const directory = await mkdtemp(join(cacheDir, `${name}.part-`));
        try {
          await way.make(join(directory, file), options);
          if (!(await isExecutable(join(directory, file)))) throw new Error('it made no executable');
          await rm(join(cacheDir, name), { recursive: true, force: true });
          // In one step: whoever sees the executable sees all of it.
          await rename(directory, join(cacheDir, name));
          return { path };
        } catch (error) {
          await rm(directory, { recursive: true, force: true });
          reasons.push(`${way.name}: ${(error as Error).message}`);
        }
      }
      return { reasons };
    },
    { onWait },
  );
}

/** @throws `Input.Invalid` when it cannot be made */
export async function makeDirectory(directory: string, setting: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw fail(
      'Input.Invalid',
      `The directory ${directory} cannot be made (${(error as Error).message}). Choose another one with ${setting}.`,
    );
  }
}

/** Of processes that were killed while they made it. */
async function removeLeftovers(cacheDir: string, name: string): Promise<void> {
  for (const entry of await readdir(cacheDir)) {
    if (entry.startsWith(`${name}.part-`)) await rm(join(cacheDir, entry), { recursive: true, force: true });
  }
}
