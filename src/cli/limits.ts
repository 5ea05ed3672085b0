/** Limits of a run, as options of a command. */
import type { Command } from 'commander';
import type { Limits } from '../contract/run.js';
import { span, wholeNumber } from './options.js';

export interface LimitOptions {
  limitTurns?: number;
  limitTokens?: number;
  limitTime?: string;
}

export function withLimitOptions(command: Command): Command {
  return command
    .option('--limit-turns <n>', 'stop after so many turns', wholeNumber)
    .option('--limit-tokens <n>', 'stop after so many tokens', wholeNumber)
    .option('--limit-time <span>', 'stop after so long, such as "10 minutes"', span);
}

/** `undefined` when none was given. */
export function limitsOf({ limitTurns: turns, limitTokens: tokens, limitTime: time }: LimitOptions): Limits | undefined {
  const limits = {
    ...(turns !== undefined && { turns }),
    ...(tokens !== undefined && { tokens }),
    ...(time !== undefined && { time: time as Limits['time'] }),
  };
  return Object.keys(limits).length === 0 ? undefined : limits;
}
