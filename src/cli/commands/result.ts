import { withAbsenceNoted } from '../absence.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { exitCodeOfResult } from '../exit-codes.js';
import { span } from '../options.js';
import { openPlace } from '../place.js';
import { outputText, summary } from '../render/words.js';
import { printable } from '../terminal.js';

/** `ostinato result`: wait for a run's end and print its output. */
export function addResult(cli: Cli): void {
  cli
    .command('result <run>', 'Wait for the end of a run and print its output.')
    .option('--timeout <span>', 'wait no longer than this, such as 30s or "5 minutes"; the run goes on', span)
    .action(cli.action(result));
}

async function result(context: Context, id: string, options: { timeout?: string }) {
  const { terminal } = context;
  const place = await openPlace(context);
  context.onInterrupt('Stopped waiting; the run goes on.');
  const found = await place.find(id);
  const outcome = await withAbsenceNoted(context, place, place.client.attach(id).result(options), found?.taskQueue);
  const output = outputText(outcome);
  if (output !== '') terminal.line(printable(output));
  terminal.note(terminal.noteStyle.dim(summary(outcome)));
  terminal.document(outcome);
  return exitCodeOfResult(outcome);
}
