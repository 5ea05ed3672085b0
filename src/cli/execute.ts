/** A command from its beginning to its end, whichever that is: done, failed, interrupted, or nobody listens any more. */
import { loadConfig } from '../config.js';
import type { Context, Machine } from './context.js';
import { exitCodes, type ExitCode } from './exit-codes.js';
import { quoted, settingsOf, wordsOf, type SharedOptions } from './options.js';
import { reportFailure } from './report.js';
import type { Terminal } from './terminal.js';

export interface Execution {
  machine: Machine;
  terminal: Terminal;
  options: SharedOptions;
  work: (context: Context) => Promise<ExitCode | void>;
}

/** Never throws. Whatever the command has opened is closed when this returns. */
export async function execute({ machine, terminal, options, work }: Execution): Promise<ExitCode> {
  const { signal, env } = machine;
  const closers: (() => Promise<void>)[] = [];
  let farewell: string | undefined;
  let isExpected = false;
  const end = (): ExitCode => {
    if (signal.reason === 'closed') return exitCodes.ok;
    if (farewell !== undefined) terminal.note(farewell);
    return exitCodes.interrupted;
  };
  try {
    const context: Context = {
      terminal,
      machine,
      config: loadConfig(settingsOf(options), env),
      signal,
      defer: (close) => closers.push(close),
      onInterrupt: (text) => (farewell = text),
      next: (...words) => quoted(['npx', 'ostinato', ...words, ...wordsOf(options)]),
      untilInterrupted: async () => {
        isExpected = true;
        await aborted(signal);
      },
    };
    const working = work(context);
    const interrupted = aborted(signal).then(() => (isExpected ? working : undefined));
    const exitCode = await Promise.race([working, interrupted]);
    return signal.aborted && !isExpected ? end() : (exitCode ?? exitCodes.ok);
  } catch (error) {
    // What is interrupted may fail of it.
    return signal.aborted && !isExpected ? end() : reportFailure(error, terminal, env);
  } finally {
    terminal.clear();
    for (const close of closers.reverse()) await close().catch((error: unknown) => reportFailure(error, terminal, env));
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
