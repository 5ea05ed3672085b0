/** A file that is written as a whole or not at all. */
import { randomUUID } from 'node:crypto';
import { open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fail } from '../contract/failure.js';
import type { Machine } from './context.js';

/** What was said is for the eyes of whoever exports it, unless the file that it replaces was for more. */
const ownerOnly = 0o600;

/**
 * In place of a file that is there already. Returns the bytes.
 *
 * @throws `Input.Invalid` when it cannot be written
 */
export async function writeWhole(path: string, text: string, { cwd }: Pick<Machine, 'cwd'>): Promise<number> {
  const bytes = Buffer.from(text, 'utf8');
  try {
    // A link stays a link.
    const file = await realpath(resolve(cwd, path)).catch(() => resolve(cwd, path));
    const found = await stat(file).catch(() => undefined);
    if (found?.isDirectory()) throw fail('Input.Invalid', `"${path}" is a directory. Name a file in it.`);
    // A pipe or a device must not be replaced by a file.
    if (found && !found.isFile()) await writeFile(file, bytes);
    else await replace(file, bytes, found ? found.mode & 0o777 : ownerOnly);
    return bytes.length;
  } catch (error) {
    if ((error as { type?: unknown }).type !== undefined) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: { [code: string]: string } = {
      ENOENT: `there is no directory "${dirname(path)}"`,
      EACCES: 'you may not write there',
      ENOSPC: 'the disk is full',
    };
    throw fail('Input.Invalid', `"${path}" cannot be written: ${reasons[code ?? ''] ?? message}. Name another file.`, { cause: error });
  }
}

/** Written beside it first, so that a reader, or a crash, never meets half of it. */
async function replace(file: string, bytes: Buffer, mode: number): Promise<void> {
  const partial = `${file}.${randomUUID().slice(0, 8)}.part`;
  try {
    const handle = await open(partial, 'wx', mode);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
