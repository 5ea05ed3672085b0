/** The project file: `ostinato.config.ts` in the current directory, with what this project's workers can do. */
import { existsSync, statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { exampleApplication } from '../agents/catalog/index.js';
import type { Application } from '../application.js';
import { janitorType } from '../contract/deletion.js';
import { fail } from '../contract/failure.js';
import { hint, show } from '../contract/problems.js';
import { loadModule } from './load-module.js';

export interface Project {
  application: Application;
  directory: string;
  /** Absent: there is no project file, and the examples of this package are used. */
  file?: string;
}

const fileNames = ['ts', 'mts', 'js', 'mjs'].map((extension) => `ostinato.config.${extension}`);

const members: { [Member in keyof Required<Application>]: 'a list' | 'an object' | 'a path' | 'a function or its name' } = {
  agents: 'a list',
  tools: 'a list',
  functions: 'a list',
  orchestrations: 'a list',
  notify: 'a function or its name',
  providers: 'an object',
  workflowsPath: 'a path',
};

/**
 * Reads the project file of a directory, or the file that is named.
 *
 * @throws `Input.Invalid` with the place of what is wrong
 */
export async function loadProject(directory: string, named?: string): Promise<Project> {
  const path = named === undefined ? findFile(directory) : resolve(directory, named);
  if (path === undefined) return { application: exampleApplication, directory };
  if (!existsSync(path)) throw fail('Input.Invalid', `There is no project file ${show(named)}. Correct --config, or leave it out.`);
  if (!statSync(path).isFile()) throw fail('Input.Invalid', `${show(named)} is no file. Let --config name one such as ostinato.config.ts.`);
  const file = relative(directory, path);
  const application = asApplication((await loadModule(path, directory)).default, file);
  const { workflowsPath } = application;
  return {
    application: workflowsPath === undefined ? application : { ...application, workflowsPath: resolve(dirname(path), workflowsPath) },
    directory,
    file,
  };
}

/** What a worker of this project offers, in one line. */
export function describeProject({ application, file }: Project): string {
  const named = (items: readonly { name: string }[] | undefined) => (items ?? []).map(({ name }) => name).join(', ');
  const orchestrations = named(application.orchestrations);
  const origin = file ?? 'the examples of this package, as there is no ostinato.config.ts here';
  return `${named(application.agents) || 'none'}${orchestrations && `; orchestrations: ${orchestrations}`} (${origin})`;
}

/** The project's own patterns: what its workflows module exports. */
export async function patternsOf({ application: { workflowsPath }, directory }: Project): Promise<string[]> {
  if (workflowsPath === undefined) return [];
  return Object.entries(await loadModule(workflowsPath, directory)).flatMap(([name, value]) =>
    typeof value === 'function' && name !== janitorType ? [name] : [],
  );
}

function findFile(directory: string): string | undefined {
  return fileNames.map((name) => resolve(directory, name)).find((file) => existsSync(file));
}

function asApplication(value: unknown, file: string): Application {
  const expected = 'Let its default export be an object such as { agents: [writer], tools: [], orchestrations: [] }.';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fail(
      'Input.Invalid',
      `${file} has ${value === undefined ? 'no default export' : `${show(value)} as default export`}. ${expected}`,
    );
  }
  const problems = Object.entries(value).flatMap(([member, given]) => {
    if (!Object.hasOwn(members, member)) return [`${member} is not known here; ${hint(member, Object.keys(members))}`];
    const kind = members[member as keyof Application];
    return given === undefined || fits(kind, given) ? [] : [`${member} must be ${kind}, not ${show(given)}`];
  });
  if (problems.length > 0) throw fail('Input.Invalid', `${file}: ${problems.join('; ')}. ${expected}`);
  return value as Application;
}

function fits(kind: (typeof members)[keyof Application], value: unknown): boolean {
  if (kind === 'a function or its name') return value !== null && ['function', 'object', 'string'].includes(typeof value);
  if (kind === 'a path') return typeof value === 'string';
  return kind === 'a list' ? Array.isArray(value) : typeof value === 'object' && value !== null;
}
