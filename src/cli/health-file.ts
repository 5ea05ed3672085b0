/** A file that says that a worker works, for health checks that cannot ask it: `find <file> -newermt '-30 seconds'`. */
import { rmSync, writeFileSync } from 'node:fs';
import { fail } from '../contract/failure.js';

const beatMs = 5000;

/**
 * Writes the file now and every five seconds, until the function that it returns is called, which removes it.
 *
 * @throws `Input.Invalid` when it cannot be written now
 */
export function keepHealthFile(file: string): () => Promise<void> {
  try {
    beat(file);
  } catch (error) {
    throw fail('Input.Invalid', `The health file cannot be written (${(error as Error).message}). Correct --health-file, or leave it out.`);
  }
  const timer = setInterval(() => {
    try {
      beat(file);
    } catch {
      // It grows old, and the check finds that.
    }
  }, beatMs);
  return async () => {
    clearInterval(timer);
    rmSync(file, { force: true });
  };
}

function beat(file: string): void {
  writeFileSync(file, `${new Date().toISOString()}\n`);
}
