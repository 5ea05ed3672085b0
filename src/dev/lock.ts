/** One process at a time. The operating system holds the lock, so a process that is killed lets go of it at that moment. */
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'libsql';
import { fail } from '../contract/failure.js';

export interface LockOptions {
  /** Called about once a second while somebody else holds the lock. */
  onWait?: (seconds: number) => void;
  /** @default 40 minutes */
  timeoutMs?: number;
}

/** Runs `work` while no other process runs work under the same file. */
export async function withLock<T>(file: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const lock = await acquire(file, options);
  try {
    return await work();
  } finally {
    lock.close();
  }
}

async function acquire(file: string, { onWait, timeoutMs = 40 * 60_000 }: LockOptions) {
  const started = Date.now();
  const lock = new Database(file, { timeout: 0 });
  for (let told = 0; ;) {
    try {
      // SQLite's exclusive lock is one of the operating system on the file. Nothing is ever written, so it needs no journal.
      lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      return lock;
    } catch (error) {
      const waited = Date.now() - started;
      if ((error as { code?: string }).code !== 'SQLITE_BUSY' || waited > timeoutMs) {
        lock.close();
        throw fail('Connection.Failed', `${file} is still locked by another process. End that process, or wait for it, and try again.`, {
          cause: error,
        });
      }
      if (waited >= (told + 1) * 1000) onWait?.(++told);
    }
    await sleep(100);
  }
}
