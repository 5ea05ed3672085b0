/** Options that several commands have, and how their values are read. */
import { InvalidArgumentError, type Command } from 'commander';
import type { ConfigOverrides } from '../config.js';
import { spanMs } from '../contract/span.js';

export interface SharedOptions {
  json?: boolean;
  address?: string;
  namespace?: string;
  taskQueue?: string;
  dataDir?: string;
}

/** Every command has them. */
export function withSharedOptions(command: Command): Command {
  return command
    .option('--json', 'for machines: JSON on standard output')
    .optionsGroup('Where (also by environment variable, see docs/cli.md):')
    .option('--address <host:port>', 'Temporal server')
    .option('--namespace <name>', 'Temporal namespace')
    .option('--task-queue <name>', 'task queue of runs and workers')
    .option('--data-dir <path>', 'directory of the store, and of a server started here')
    .optionsGroup('Options:');
}

export function settingsOf({ address, namespace, taskQueue, dataDir }: SharedOptions): ConfigOverrides {
  return { address, namespace, taskQueue, dataDir };
}

/** As they were typed, for a command to type next. */
export function wordsOf({ address, namespace, taskQueue, dataDir }: SharedOptions): string[] {
  const given = { '--address': address, '--namespace': namespace, '--task-queue': taskQueue, '--data-dir': dataDir };
  return Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
}

/** Words as a shell takes them. */
export function quoted(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : /[$`\\!"]/.test(word) ? `'${word.replaceAll("'", `'\\''`)}'` : `"${word}"`))
    .join(' ');
}

export interface ProjectOptions {
  config?: string;
}

/** For commands that read the project file. */
export function withProjectOption(command: Command): Command {
  return command.option('--config <path>', 'project file (default: ostinato.config.ts, .mts, .js or .mjs in this directory)');
}

/** For option values: a whole number of at least 1. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return value;
}

/** For option values: a position, from 0. */
export function position(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0.');
  return Number(text);
}

/** For option values: a span of time with its unit; a bare `10` would be seconds to one and milliseconds to another. */
export function span(text: string): string {
  const words = text.trim();
  const ms = /[a-z]$/i.test(words) ? spanMs(words) : undefined;
  if (ms === undefined || ms === 0) throw new InvalidArgumentError('It must be a span of time such as 30s, "90 seconds" or "5 minutes".');
  return words;
}

/** For option values: the id of a run. */
export function id(text: string): string {
  // eslint-disable-next-line no-control-regex -- Temporal takes them, and nobody could type the id again.
  if (text.trim() === '' || text.length > 1000 || /[\u0000-\u001f]/.test(text))
    throw new InvalidArgumentError('It must be the workflow id of a run.');
  return text;
}

/** For option values: names separated by commas; the option may be repeated. */
export function names(text: string, before: string[] = []): string[] {
  const found = text.split(',').map((name) => name.trim());
  if (found.some((name) => name === '')) throw new InvalidArgumentError('It must be names separated by commas, such as analyst,writer.');
  return [...before, ...found];
}
