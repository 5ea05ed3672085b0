/** The `temporal` executable: on the PATH, cached, downloaded by Temporal's SDK, or built with Go. */
import { dirname } from 'node:path';
import { fail } from '../contract/failure.js';
import { provide, type CacheOptions, type Way } from './executable.js';
import { findOnPath, run } from './program.js';
import { withProgress } from './progress.js';
import { sdkDownload } from './sdk-download.js';

/** Later releases cannot be installed this way: their module files carry replace directives. */
const goPackage = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';

/**
 * Path of a `temporal` that works.
 *
 * @throws `Connection.Failed`, with what to install, when there is none and none can be had
 */
export async function findTemporal(options: CacheOptions): Promise<string> {
  const onPath = await findOnPath('temporal', options.env);
  const unusable = onPath && (await problemOf(onPath, options));
  if (onPath && !unusable) return onPath;
  const provided = await provide('temporal', [checked(sdkDownload('a Temporal server', 'createLocal')), checked(goInstall)], options);
  if ('path' in provided) return provided.path;
  const reasons = [onPath ? `${onPath}: ${unusable}` : 'no `temporal` is on the PATH', ...provided.reasons];
  throw fail(
    'Connection.Failed',
    `No Temporal server is here, and none could be fetched (${reasons.join('; ')}). Install the Temporal CLI so that \`temporal\` is on the ` +
      'PATH (for example `brew install temporal`), or install Go 1.25 or newer, with which it is built here once; or run a server elsewhere ' +
      'and set TEMPORAL_ADDRESS. Then try again.',
    { details: reasons },
  );
}

const goInstall: Way = {
  name: '`go install`',
  async make(path, { env, onProgress }) {
    const go = await findOnPath('go', env);
    if (!go) throw new Error('Go is not installed');
    const directory = dirname(path);
    await withProgress(
      onProgress,
      () => 'Building a Temporal server with Go, once, about 3 minutes',
      () =>
        run(go, ['install', goPackage], { env: { ...env, GOBIN: directory, CGO_ENABLED: '0' }, cwd: directory, timeoutMs: 30 * 60_000 }),
    );
  },
};

function checked(way: Way): Way {
  return {
    ...way,
    async make(path, context) {
      await way.make(path, context);
      const problem = await problemOf(path, context);
      if (problem) throw new Error(problem);
    },
  };
}

/** Other programs are called `temporal` too. */
async function problemOf(path: string, { env }: Pick<CacheOptions, 'env'>): Promise<string | undefined> {
  try {
    const version = await run(path, ['--version'], { env, timeoutMs: 20_000 });
    return /^temporal version .*server/im.test(version) ? undefined : 'it is not the Temporal CLI';
  } catch (error) {
    return `it does not run (${(error as Error).message})`;
  }
}
