// @ts-check
/** Packs the package as a release would, and looks at what others would get: its files, its types, its entries. Needs a build. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
// Below node_modules, so that the unpacked package finds its dependencies.
const place = `${root}/node_modules/.cache/check-package`;

rmSync(place, { recursive: true, force: true });
mkdirSync(place, { recursive: true });
try {
  const { filename, files, size } = pack();
  const problems = [...missing(files), ...unexpected(files), ...registryNames()];
  if (problems.length > 0) throw new Error(problems.join('\n'));

  const tarball = `${place}/${filename}`;
  run('node_modules/.bin/publint', 'run', tarball, '--strict');
  run('node_modules/.bin/attw', tarball, '--profile', 'esm-only', '--no-definitely-typed', '--no-emoji', '--format', 'ascii');
  run('tar', '-xzf', tarball, '-C', place);
  for (const entry of entries()) loads(entry);
  console.log(`The package is sound: ${files.length} files, ${Math.ceil(size / 1024)} KiB, every entry loads.`);
} catch (error) {
  console.error(`The package is not fit for others:\n${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  rmSync(place, { recursive: true, force: true });
}

/** @returns {{ filename: string, files: string[], size: number }} */
function pack() {
  const report = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--silent', '--pack-destination', place], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  const [packed] = JSON.parse(report);
  return { ...packed, files: packed.files.map((/** @type {{ path: string }} */ file) => file.path) };
}

/** @param {string[]} files */
function missing(files) {
  const targets = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? target : Object.values(target)));
  const needed = ['README.md', 'LICENSE', 'CHANGELOG.md', 'dist/workflows/bundle.json', ...Object.values(manifest.bin), ...targets];
  return needed
    .map((file) => file.replace(/^\.\//, ''))
    .filter((file) => !(file.endsWith('/*') ? files.some((other) => other.startsWith(file.slice(0, -1))) : files.includes(file)))
    .map((file) => `${file} is missing.`);
}

/** @param {string[]} files */
function unexpected(files) {
  const expected = [
    /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
    /^dist\/[\w/-]+(\.js|\.d\.ts)(\.map)?$/,
    // Temporal's worker takes a failure converter by path, and requires it.
    /^dist\/encryption\/failure-converter\.(cjs|d\.cts)(\.map)?$/,
    /^src\/encryption\/failure-converter\.cjs$/,
    /^dist\/workflows\/bundle\.json$/,
    /^src\/[\w/-]+\.ts$/,
    /^docs\/[\w./-]+\.(md|svg|png)$/,
    /^examples\/[\w./-]+\.(ts|md|json|txt)$/,
    /^schemas\/[\w-]+\.schema\.json$/,
  ];
  const stale = (/** @type {string} */ file) =>
    /^dist\/.*(\.js|\.d\.ts)(\.map)?$/.test(file) &&
    !files.includes(file.replace(/^dist/, 'src').replace(/(\.js|\.d\.ts)(\.map)?$/, '.ts'));
  return [
    ...files.filter((file) => !expected.some((form) => form.test(file))).map((file) => `${file} does not belong there.`),
    ...files.filter(stale).map((file) => `${file} has no source: run \`npm run build\`.`),
  ];
}

/** A lock file that names a registry ties everybody to it. */
function registryNames() {
  const lock = readFileSync(`${root}/package-lock.json`, 'utf8');
  return lock.includes('"resolved"') ? ['package-lock.json names a registry: see .npmrc, and write it again.'] : [];
}

function entries() {
  return Object.keys(manifest.exports).filter((entry) => !entry.endsWith('.json') && !entry.endsWith('/*'));
}

/** Imports an entry by its public name, from the unpacked package. @param {string} entry */
function loads(entry) {
  const name = JSON.stringify(manifest.name + entry.slice(1));
  run(
    process.execPath,
    '--input-type=module',
    '--eval',
    `if (Object.keys(await import(${name})).length === 0) throw new Error('${entry} is empty.')`,
  );
}

/** @param {string} command @param {string[]} args */
function run(command, ...args) {
  const cwd = command === process.execPath ? `${place}/package` : root;
  try {
    execFileSync(command, args, { cwd, stdio: 'pipe', encoding: 'utf8', shell: process.platform === 'win32' });
  } catch (error) {
    const { stdout = '', stderr = '' } = /** @type {{ stdout?: string, stderr?: string }} */ (error);
    throw new Error(`${[command, ...args].join(' ')}\n${stdout}${stderr}`, { cause: error });
  }
}
