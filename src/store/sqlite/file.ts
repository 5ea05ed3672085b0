import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fail } from '../../contract/failure.js';

/** Makes an empty database file, and its directory, for the owner's eyes only. One that exists is left alone. */
export function createDatabaseFile(path: string): void {
  try {
    const made = mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Conversations are nobody's source code.
    if (made !== undefined) writeFileSync(join(dirname(path), '.gitignore'), '*\n');
    // Only ever a new file, opened and closed in one breath: closing any handle of a file drops every lock that this process
    // has on it, also those of a store that is open already.
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    const { code, syscall, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && syscall === 'open') return;
    const remedy = code === 'ENOSPC' ? 'Free some space' : 'Choose a directory that this user may write to, or correct its permissions';
    throw fail('Store.Unavailable', `The data directory "${dirname(path)}" cannot be used (${message}). ${remedy}, then start again.`, {
      cause: error,
    });
  }
}
