/** The download that comes with Temporal's SDK: both of its servers, for the platforms it knows. */
import { createRequire } from 'node:module';
import { readdir, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Way } from './executable.js';
import { run } from './program.js';
import { withProgress } from './progress.js';

/** Where a network swallows packets, the SDK alone would wait for minutes. */
const longestSilenceMs = 20_000;

/**
 * In a process of its own: it can be ended when the network is silent, and the SDK's runtime, which can be installed once
 * per process, stays free. The SDK has no download without a start, so the server is started and stopped.
 */
const script = `
const [testing, kind, downloadDir] = process.argv.slice(1);
require(testing).TestWorkflowEnvironment[kind]({ server: { executable: { type: 'cached-download', downloadDir } } })
  .then((env) => env.teardown())
  .then(() => process.exit(0), (error) => { console.error(error.message.replace(/\\s+/g, ' ').replace(/^.*\\(https?:[^)]*\\): /, '')); process.exit(1); });
`;

export function sdkDownload(what: string, kind: 'createLocal' | 'createTimeSkipping'): Way {
  return {
    name: "the download of Temporal's SDK",
    async make(path, { env, onProgress }) {
      const directory = dirname(path);
      const testing = createRequire(import.meta.url).resolve('@temporalio/testing');
      const stalled = new AbortController();
      let bytes = 0;
      let silentSince = Date.now();
      const look = async (): Promise<void> => {
        const now = await bytesIn(directory);
        if (now !== bytes) silentSince = Date.now();
        else if (Date.now() - silentSince > longestSilenceMs) stalled.abort(`nothing came for ${longestSilenceMs / 1000} seconds`);
        bytes = now;
      };
      const watch = setInterval(() => void look(), 500);
      try {
        const message = () => `Downloading ${what}${bytes > 0 ? `, ${Math.round(bytes / 1e6)} MB so far` : ''}`;
        await withProgress(onProgress, message, () =>
          run(process.execPath, ['-e', script, testing, kind, directory], { env, timeoutMs: 15 * 60_000, signal: stalled.signal }),
        );
      } finally {
        clearInterval(watch);
      }
      const [file] = await readdir(directory);
      if (file !== undefined) await rename(join(directory, file), path);
    },
  };
}

async function bytesIn(directory: string): Promise<number> {
  let bytes = 0;
  for (const file of await readdir(directory).catch(() => [])) bytes += (await stat(join(directory, file)).catch(() => ({ size: 0 }))).size;
  return bytes;
}
