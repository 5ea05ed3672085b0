/** What a command is given: where it speaks, its settings, and how it ends. */
import type { Config, Environment } from '../config.js';
import type { Stream, Terminal } from './terminal.js';

export interface Context {
  readonly terminal: Terminal;
  readonly config: Config;
  readonly machine: Machine;
  /** Aborted by Ctrl-C, by a request to terminate, and when nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** Closed when the command ends, however it ends; the last one first. */
  defer(close: () => Promise<void>): void;
  /** What is said when the command is interrupted: how to come back. */
  onInterrupt(farewell: string): void;
  /** A command to type next, for the same place as this one: `npx ostinato watch sequential/1a2b`. */
  next(...words: string[]): string;
  /** For commands that stay until they are interrupted: that is their good end. */
  untilInterrupted(): Promise<void>;
}

/** The process that a command runs in. */
export interface Machine {
  readonly out: Stream;
  readonly err: Stream;
  readonly stdin: AsyncIterable<Buffer | string> & { isTTY?: boolean };
  readonly env: Environment;
  readonly cwd: string;
  readonly signal: AbortSignal;
}
