#!/usr/bin/env node
/** The `ostinato` command. */
import { cwd, env, exit, stderr, stdin, stdout } from 'node:process';
import { runCli } from './cli.js';
import { exitCodes } from './exit-codes.js';

const stopping = new AbortController();

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second time is meant.
    if (stopping.signal.aborted) exit(exitCodes.interrupted);
    stopping.abort(signal);
  });
}
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `ostinato watch … | head`: nobody reads any more, and that is no failure.
    if (error.code !== 'EPIPE') throw error;
    stopping.abort('closed');
  });
}

const exitCode = await runCli(process.argv.slice(2), { out: stdout, err: stderr, stdin, env, cwd: cwd(), signal: stopping.signal });
// Temporal's native part, or a connection, may hold on to the process.
stdout.write('', () => exit(exitCode));
