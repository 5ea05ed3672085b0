// @ts-check
/** `dist`, from nothing. Runs after `npm install` in the repository too, so that `npx ostinato` is there at once. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { npm_lifecycle_event: event, npm_command: command } = process.env;
const compiler = findCompiler();

// `npx ostinato` in the repository links it into a cache first, and so prepares it again: not under the feet of what runs from dist.
if (event === 'prepare' && command === 'exec' && existsSync(`${root}/dist`)) process.exit();

if (compiler !== undefined && existsSync(`${root}/src`)) {
  rmSync(`${root}/dist`, { recursive: true, force: true });
  try {
    execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  } catch {
    console.error('The build failed: the compiler says why above. Mend it and run `npm run build`.');
    process.exit(1);
  }
  // Our patterns are bundled once, here, and not by every worker that starts.
  const { prebuild } = await import(`${root}/dist/worker/workflow-bundle.js`);
  writeFileSync(`${root}/dist/workflows/bundle.json`, await prebuild());
  const { bin } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  for (const file of Object.values(bin)) chmodSync(`${root}/${file}`, 0o755);
} else if (event === 'prepare') {
  // `npm ci --omit=dev`, or an image that copies its sources later: what is in dist, if anything, stays.
  console.error('Not built: there is no compiler or no source here. Run `npm install && npm run build` where there is.');
} else {
  console.error('The build needs src and the development dependencies. Run `npm install`, then `npm run build`.');
  process.exit(1);
}

function findCompiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch {
    return undefined;
  }
}
