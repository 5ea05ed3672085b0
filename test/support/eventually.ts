import { setTimeout as sleep } from 'node:timers/promises';

/** Checks again until it holds; after a minute what does not hold fails: machines have other things to do. */
export async function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  for (const until = Date.now() + 60_000; ; await sleep(50)) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > until) throw error;
    }
  }
}
