/** What `npm run build` makes of the sources, made once for all tests that run it: the command, and the workflows of a worker. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bundle = join(root, 'dist/workflows/bundle.json');

/** The command `ostinato`. */
export const builtCommand = join(root, 'dist/cli/main.js');

/** The built-in patterns, as `bundleWorkflows()` bundles them. */
export function builtWorkflows(): { code: string } {
  return JSON.parse(readFileSync(bundle, 'utf8')) as { code: string };
}

/** Builds anew when a source is younger than what was made of it. */
export function build(): void {
  const made = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  if (sources.every((path) => statSync(join(root, 'src', path)).mtimeMs < made)) return;
  execFileSync(process.execPath, ['scripts/build.js'], { cwd: root, stdio: 'inherit' });
}
