/** The workflow code of a worker: our own is bundled when the package is built, one's own when a worker starts. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { encodesFailures } from '../contract/encrypted.js';

export interface WorkflowBundle {
  code: string;
}

// In the package these are `.js`, in the repository `.ts`.
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const pathOf = (module: string) => fileURLToPath(new URL(`../${module}.${extension}`, import.meta.url));
const builtIn = pathOf('workflows/index');
const prebuilt = new URL('../workflows/bundle.json', import.meta.url);

/**
 * Ready to be given to several workers. About two seconds for a module of one's own; nothing for the built-in patterns.
 *
 * @param workflowsPath module that exports patterns. @default the built-in ones
 */
export async function bundleWorkflows(workflowsPath = builtIn): Promise<WorkflowBundle> {
  return (workflowsPath === builtIn ? readPrebuilt() : undefined) ?? { code: await bundle(workflowsPath) };
}

/** The same, for workers that encrypt. The sandbox has no settings: whoever loads the code tells it, and one bundle serves both. */
export function withEncodedFailures(bundle: WorkflowBundle | { codePath: string }): WorkflowBundle {
  const code = 'code' in bundle ? bundle.code : readFileSync(bundle.codePath, 'utf8');
  return { code: `globalThis.${encodesFailures}=true;${code}` };
}

/** What the build puts beside the built-in patterns. */
export async function prebuild(): Promise<string> {
  return JSON.stringify({ sdk: sdkVersion(), code: await bundle(builtIn) });
}

/** A bundle holds a part of the SDK, which has to be of the version that runs it. */
function readPrebuilt(): WorkflowBundle | undefined {
  if (extension === 'ts') return undefined;
  try {
    const { sdk, code } = JSON.parse(readFileSync(prebuilt, 'utf8')) as { sdk: string; code: string };
    return sdk === sdkVersion() ? { code } : undefined;
  } catch {
    return undefined;
  }
}

async function bundle(workflowsPath: string): Promise<string> {
  if (workflowsPath === builtIn) return await bundleEntry(workflowsPath);
  // Any worker may be the one that is given the janitor's next task.
  const directory = await mkdtemp(join(tmpdir(), 'ostinato-workflows-'));
  const entry = join(directory, 'workflows.js');
  try {
    const lines = [
      `export * from ${JSON.stringify(workflowsPath)};`,
      `export { janitor } from ${JSON.stringify(pathOf('workflows/janitor'))};`,
    ];
    await writeFile(entry, `${lines.join('\n')}\n`);
    // Packages are those that the module itself would find.
    return await bundleEntry(entry, createRequire(workflowsPath).resolve.paths('@temporalio/workflow') ?? []);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function bundleEntry(workflowsPath: string, packages: readonly string[] = []): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: [pathOf('workflows/run/interceptors')],
    // Only the sandbox needs it: there, a payload that throws while it is decoded is retried forever.
    payloadConverterPath: pathOf('contract/payload-converter'),
    failureConverterPath: pathOf('workflows/run/failure-converter'),
    logger: quiet,
    // Lines in stack traces need the mappings, not a second copy of all sources: half the size.
    webpackConfigHook: (webpack) => ({
      ...webpack,
      devtool: 'inline-nosources-source-map',
      ...(packages.length > 0 && { resolve: { ...webpack.resolve, modules: ['node_modules', ...packages] } }),
    }),
  });
  return code;
}

function sdkVersion(): string {
  const { version } = createRequire(import.meta.url)('@temporalio/worker/package.json') as { version: string };
  return version;
}

const silent = () => undefined;
const quiet = { log: silent, trace: silent, debug: silent, info: silent, warn: console.warn, error: console.error };
