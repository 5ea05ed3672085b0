/** The programs in Temporal's images, of the release that the composition names: built with Go, once, into the cache. */
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadConfig } from '../../src/config.js';
import { provide, type Way } from '../../src/dev/executable.js';
import { findOnPath, run } from '../../src/dev/program.js';
import { findTemporal } from '../../src/dev/temporal-binary.js';

const packages = {
  'temporal-server': 'go.temporal.io/server/cmd/server',
  'temporal-sql-tool': 'go.temporal.io/server/cmd/tools/sql',
};

/** Paths of the programs, by the names that they have in the images. */
export async function temporalPrograms(version: string, say: (words: string) => void): Promise<{ [name: string]: string }> {
  const config = loadConfig();
  const options = { cacheDir: config.cacheDir, env: config.env(), onProgress: nowAndThen(say) };
  const programs: { [name: string]: string } = { temporal: await findTemporal(options) };
  for (const [name, path] of Object.entries(packages)) {
    const provided = await provide(`${name}-${version}`, [goInstall(name, path, version, options.onProgress)], options);
    if (!('path' in provided)) throw new Error(`${name} ${version} could not be had: ${provided.reasons.join('; ')}`);
    programs[name] = provided.path;
  }
  return programs;
}

function goInstall(name: string, path: string, version: string, say: (words: string) => void): Way {
  return {
    name: '`go install`',
    async make(target, { env }) {
      const go = await findOnPath('go', env);
      if (!go) throw new Error('Go is not installed: install Go 1.26 or newer');
      const directory = dirname(target);
      const started = Date.now();
      const timer = setInterval(
        () => say(`Building ${name} ${version} with Go, once (${Math.round((Date.now() - started) / 1000)} s)`),
        5000,
      );
      say(`Building ${name} ${version} with Go, once, about 3 minutes …`);
      try {
        // Its module file may want a newer compiler than the one here, which Go then fetches by itself.
        const goEnv = { ...env, GOBIN: directory, CGO_ENABLED: '0', GOTOOLCHAIN: 'auto' };
        await run(go, ['install', `${path}@v${version}`], { env: goEnv, cwd: directory, timeoutMs: 25 * 60_000 });
      } finally {
        clearInterval(timer);
      }
      await rename(join(directory, path.split('/').at(-1)!), target);
    },
  };
}

/** What is said every second elsewhere is said every five seconds here: nothing overwrites its line. */
function nowAndThen(say: (words: string) => void): (words: string) => void {
  let told = 0;
  return (words) => {
    if (Date.now() - told < 5000) return;
    told = Date.now();
    say(words);
  };
}
