// @ts-check
/**
 * The house as data: what each part of `src` may import, by value or, with `type:`, as types only.
 * Read by eslint.config.js, for the editor, and by test/architecture.test.ts, which derives the edges from the source again.
 */
import { builtinModules } from 'node:module';
import { posix } from 'node:path';

/**
 * @typedef {object} Part
 * @property {RegExp} files Paths below `src`. The first part that matches a file owns it.
 * @property {string[]} imports Other parts. Files of one part may import each other.
 * @property {string[]} [packages] npm packages.
 * @property {boolean | string[]} [node] Node builtins: all, or these.
 * @property {boolean} [alone] Its files may not import each other.
 */

/** @type {Record<string, Part>} */
export const parts = {
  // What crosses a process boundary, and what runs in Temporal's sandbox: no Node, no vendor SDK, and zod nowhere but in the schemas.
  schemas: { files: /^contract\/(.+-schema|schema-.+)\.ts$/, imports: ['contract'], packages: ['zod', '@temporalio/common'] },
  contract: { files: /^contract\//, imports: ['type:schemas'], packages: ['@temporalio/common', 'type:zod'] },
  state: { files: /^state\//, imports: ['contract', 'type:schemas'] },
  'agent-state': {
    files: /^agent-state\//,
    imports: ['contract', 'schemas', 'state'],
    packages: ['zod', 'lossless-json', '@temporalio/common'],
  },
  'workflows/run': {
    files: /^workflows\/run\//,
    imports: ['contract', 'state', 'type:schemas', 'type:activities'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
  },
  'workflows/index': { files: /^workflows\/index\.ts$/, imports: ['workflows'] },
  workflows: { files: /^workflows\/[^/]+\.ts$/, imports: ['contract', 'workflows/run'], alone: true },

  // What a worker does for a workflow.
  activities: {
    files: /^activities\//,
    imports: [
      'contract',
      'schemas',
      'state',
      'agent-state',
      'definitions',
      'llm',
      'agents',
      'tools',
      'functions',
      'notify',
      'store',
      'janitor',
    ],
    packages: ['@temporalio/activity', '@temporalio/common', 'type:@temporalio/client', 'zod'],
    node: true,
  },
  definitions: { files: /^(agents|tools|functions)\/define-[^/]+\.ts$/, imports: ['contract'], packages: ['zod'] },
  catalog: { files: /^(agents|tools)\/catalog\//, imports: ['contract', 'definitions'], packages: ['zod'], node: true },
  agents: { files: /^agents\//, imports: ['contract', 'schemas', 'definitions', 'tools', 'functions'], packages: ['zod'] },
  functions: { files: /^functions\//, imports: ['contract', 'definitions'] },
  tools: { files: /^tools\//, imports: ['contract', 'schemas', 'definitions'], packages: ['zod', '@temporalio/common'], node: true },
  llm: { files: /^llm\//, imports: ['contract'], packages: ['openai', '@temporalio/common'], node: true },
  encryption: {
    files: /^encryption\//,
    imports: ['contract'],
    packages: ['@temporalio/common', '@temporalio/proto'],
    node: ['crypto', 'http', 'net', 'url'],
  },
  // How people are told of requests.
  notify: { files: /^notify\//, imports: ['contract', 'type:definitions'], node: true },
  store: { files: /^store\//, imports: ['contract', 'encryption'], packages: ['libsql', 'pg', '@temporalio/common'], node: true },

  // What clients and the janitor do with Temporal and the store together.
  calls: {
    files: /^client\/(call|context|span)\.ts$/,
    imports: ['contract', 'type:store'],
    packages: ['@temporalio/client', '@temporalio/common'],
  },
  janitor: {
    files: /^janitor\//,
    imports: ['contract', 'state', 'store', 'calls'],
    packages: ['@temporalio/client', '@temporalio/common', 'type:@temporalio/proto'],
    node: true,
  },

  // Where a process begins.
  application: { files: /^application\.ts$/, imports: ['type:definitions', 'type:llm'] },
  config: {
    files: /^(config|settings)\.ts$/,
    imports: ['contract', 'encryption', 'notify'],
    packages: ['zod', '@temporalio/common'],
    node: ['fs', 'os', 'path'],
  },
  'server-record': { files: /^dev\/(server-record|process)\.ts$/, imports: ['contract'], node: true },
  connection: {
    files: /^connection(-[^/]+)?\.ts$/,
    imports: ['contract', 'config', 'server-record'],
    packages: ['@temporalio/client', '@temporalio/common', '@temporalio/envconfig', '@temporalio/worker'],
    node: true,
  },
  client: {
    files: /^client(\.ts$|\/)/,
    imports: [
      'calls',
      'janitor',
      'contract',
      'schemas',
      'state',
      'agent-state',
      'config',
      'connection',
      'encryption',
      'store',
      'type:definitions',
    ],
    packages: ['@temporalio/client', '@temporalio/common'],
    node: true,
  },
  worker: {
    files: /^worker(\.ts$|\/)/,
    imports: [
      'contract',
      'application',
      'config',
      'connection',
      'encryption',
      'definitions',
      'catalog',
      'activities',
      'llm',
      'agents',
      'tools',
      'functions',
      'notify',
      'store',
      'janitor',
    ],
    packages: ['@temporalio/worker', '@temporalio/client', '@temporalio/common', '@temporalio/proto'],
    node: true,
  },
  gateway: { files: /^gateway\//, imports: ['contract', 'client', 'config'], node: true },
  dev: {
    files: /^dev\//,
    imports: ['contract', 'application', 'catalog', 'config', 'server-record', 'connection', 'client', 'worker'],
    packages: ['@temporalio/client', '@temporalio/common', '@temporalio/proto', '@temporalio/testing', '@temporalio/worker', 'libsql'],
    node: true,
  },
  cli: {
    files: /^cli\//,
    imports: [
      'contract',
      'schemas',
      'agent-state',
      'application',
      'catalog',
      'config',
      'server-record',
      'connection',
      'encryption',
      'calls',
      'client',
      'worker',
      'gateway',
      'dev',
      'type:definitions',
    ],
    packages: ['commander', 'jiti', '@temporalio/client', '@temporalio/common', '@temporalio/worker'],
    node: true,
  },

  // What others import.
  testing: {
    files: /^testing\//,
    imports: ['contract', 'application', 'config', 'connection', 'definitions', 'encryption', 'llm', 'store', 'client', 'worker', 'dev'],
    packages: ['@temporalio/client', '@temporalio/common', '@temporalio/testing', '@temporalio/worker'],
    node: true,
  },
  index: { files: /^index\.ts$/, imports: ['contract', 'definitions', 'agent-state', 'type:application'] },
};

/** Folders of `src` whose code may run in Temporal's sandbox. */
export const sandbox = ['contract', 'state', 'workflows'];

/**
 * Whose a file is.
 * @param {string} file Path from the repository's root, with forward slashes.
 * @returns {string | undefined}
 */
export function partOf(file) {
  if (!file.startsWith('src/')) return undefined;
  const path = file.slice('src/'.length);
  return Object.keys(parts).find((name) => parts[name]?.files.test(path));
}

/**
 * Why a file of `src` may not import something, or `undefined` when it may.
 * @param {{ from: string, specifier: string, typeOnly: boolean }} edge
 * @returns {string | undefined}
 */
export function refusal({ from, specifier, typeOnly }) {
  const name = partOf(from);
  if (name === undefined) return `${from} belongs to no part of the house: give it a row in architecture.js, or move it.`;
  const part = /** @type {Part} */ (parts[name]);
  const how = typeOnly ? 'import' : 'import by value';

  if (specifier.startsWith('.')) {
    const target = resolveRelative(from, specifier);
    const other = partOf(target);
    if (other === undefined) return `${name} may not ${how} ${target}: it is no part of src.`;
    if (other === name) return part.alone ? `Files of ${name} may not import each other: ${target}.` : undefined;
    return allows(part.imports, other, typeOnly) ? undefined : `${name} may not ${how} ${other} (${target}).`;
  }

  const builtin = builtinOf(specifier);
  if (builtin !== undefined) {
    const allowed = part.node === true || (Array.isArray(part.node) && part.node.includes(builtin));
    return allowed ? undefined : `${name} may not import node:${builtin}.`;
  }

  const package_ = packageOf(specifier);
  return allows(part.packages ?? [], package_, typeOnly) ? undefined : `${name} may not ${how} the package ${package_}.`;
}

/**
 * The file that a relative import means: `./x.js` from `src/a/b.ts` is `src/a/x.ts`.
 * @param {string} from
 * @param {string} specifier
 */
export function resolveRelative(from, specifier) {
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
}

/**
 * `@scope/name/deep/path.js` → `@scope/name`.
 * @param {string} specifier
 */
export function packageOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** @param {string} specifier */
function builtinOf(specifier) {
  const name = specifier.replace(/^node:/, '');
  return specifier.startsWith('node:') || builtinModules.includes(name) ? name : undefined;
}

/** @param {string[]} list @param {string} name @param {boolean} typeOnly */
function allows(list, name, typeOnly) {
  return list.includes(name) || (typeOnly && list.includes(`type:${name}`));
}
