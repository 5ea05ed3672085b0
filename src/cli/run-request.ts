/** What `run` and `start` are asked for: a pattern or an orchestration, and the document that it begins with. */
import type { Command } from 'commander';
import type { Orchestration } from '../agents/define-orchestration.js';
import type { OstinatoClient, RunHandle } from '../client.js';
import { fail } from '../contract/failure.js';
import { parseRunInput } from '../contract/input-schema.js';
import { patternNames, patterns } from '../contract/pattern.js';
import { nearest, show } from '../contract/problems.js';
import type { RunInput } from '../contract/run.js';
import type { Machine } from './context.js';
import { limitsOf, withLimitOptions, type LimitOptions } from './limits.js';
import { id, names } from './options.js';
import { patternsOf, type Project } from './project.js';
import { readStandardInput, readTextFile } from './read-text.js';

export interface RunOptions extends LimitOptions {
  agents?: string[];
  task?: string;
  file?: string;
  input?: string;
  id?: string;
  conversation?: string;
}

export function withRunOptions(command: Command): Command {
  return withLimitOptions(
    command
      .option('--agents <names>', 'agents in speaking order, separated by commas', names)
      .option('--task <text>', 'what to do')
      .option('--file <path>', 'a text that the task is about')
      .option('--input <json>', 'the whole input: JSON, @file.json, or - for standard input; other options override it')
      .option('--id <id>', 'workflow id of the run (default: pattern/short id)', id)
      .option('--conversation <run>', 'go on with the conversation of an earlier run', id),
  );
}

/**
 * The input document, from `--input` and what overrides it. Checked here, before a server is looked for.
 *
 * @throws `Input.Invalid` · `Input.TooLarge`
 */
export async function readRunInput(
  what: string | Orchestration,
  options: RunOptions,
  machine: Pick<Machine, 'cwd' | 'stdin'>,
): Promise<RunInput> {
  const given = options.input === undefined ? {} : await readDocument(options.input, machine);
  const file = options.file === undefined ? undefined : await readTextFile(options.file, machine);
  const { agents, task, conversation } = options;
  const limits = limitsOf(options);
  const input = {
    ...given,
    ...(agents && { agents }),
    ...((task !== undefined || file !== undefined) && { task: joined(task ?? ownTask(given), file) }),
    ...(limits && { limits: { ...(given.limits as RunInput['limits']), ...limits } }),
    ...(conversation !== undefined && { conversation }),
  };
  if (typeof what === 'string') return parseRunInput(what, input);
  parseRunInput(what.pattern, { ...input, orchestration: what.name });
  return input as RunInput;
}

/**
 * A pattern, or else an orchestration of the project.
 *
 * @throws `Input.Invalid` with the names there are
 */
export async function findWhat(name: string, project: Project): Promise<string | Orchestration> {
  const known = [...new Set([...patternNames, ...(await patternsOf(project))])];
  if (known.includes(name)) return name;
  const orchestrations = project.application.orchestrations ?? [];
  const found = orchestrations.find((orchestration) => orchestration.name === name);
  if (found) return found;
  const ours = orchestrations.map((orchestration) => orchestration.name);
  const near = nearest(name, [...known, ...ours]);
  throw fail(
    'Input.Invalid',
    `Nothing is called ${show(name)}.${near ? ` Did you mean ${show(near)}?` : ''} Patterns: ${known.join(', ')}. ` +
      `Orchestrations of ${project.file ?? 'the examples'}: ${ours.join(', ') || 'none'}.`,
  );
}

export async function startRun(
  client: OstinatoClient,
  what: string | Orchestration,
  input: RunInput,
  { id }: RunOptions,
): Promise<RunHandle> {
  // Its output is shown as it is.
  return (typeof what === 'string' ? await client.start(what, input, { id }) : await client.start(what, input, { id })) as RunHandle;
}

/** For help: the menu. */
export function menu(): string {
  return patternNames.map((name) => `  ${name.padEnd(12)} ${patterns[name].description}`).join('\n');
}

async function readDocument(source: string, machine: Pick<Machine, 'cwd' | 'stdin'>): Promise<{ [member: string]: unknown }> {
  const path = source.startsWith('@') ? source.slice(1) : undefined;
  const subject = path !== undefined ? `"${path}"` : source === '-' ? 'Standard input' : '--input';
  const text = path !== undefined ? await readTextFile(path, machine) : source === '-' ? await readStandardInput(machine) : source;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw fail(
      'Input.Invalid',
      `${subject} is not JSON: ${(error as Error).message}. Write something such as '{"agents": ["writer"], "task": "…"}'.`,
    );
  }
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document as { [member: string]: unknown };
  throw fail('Input.Invalid', `${subject} must be a JSON object such as {"agents": ["writer"], "task": "…"}, not ${show(document)}.`);
}

/** A task that `--file` can be put behind. */
function ownTask({ task }: { [member: string]: unknown }): string | undefined {
  if (task === undefined || typeof task === 'string') return task;
  throw fail('Input.Invalid', 'With --file the task of --input must be a text. Leave one of them out.');
}

/** First what to do, then the text that it is about. */
function joined(task: string | undefined, file: string | undefined): string {
  return [task, file].filter((part) => part !== undefined).join('\n\n');
}
