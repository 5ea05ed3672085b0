import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { exitCodeOf, exitCodeOfResult } from '../exit-codes.js';
import { position } from '../options.js';
import { openPlace } from '../place.js';
import { outputText, summary } from '../render/words.js';
import { printable } from '../terminal.js';
import { watchToEnd } from '../watching.js';

/** `ostinato watch`: a run as it happens, from any process. */
export function addWatch(cli: Cli): void {
  cli
    .command('watch <run>', 'A run as it happens, to its end. Ctrl-C stops watching and nothing else.')
    .option('--from <seq>', 'only events after this one; each event carries its seq', position)
    .action(cli.action(watch));
}

async function watch(context: Context, id: string, options: { from?: number }) {
  const { terminal } = context;
  const { dim, green, red, yellow } = terminal.noteStyle;
  const place = await openPlace(context);
  const found = await place.find(id);
  context.onInterrupt(`Stopped watching; the run is not stopped. Come back with:  ${context.next('watch', id)}`);
  const run = place.client.attach(id);
  const { last, lastReply } = await watchToEnd(context, place, run, { ...options, taskQueue: found?.taskQueue });
  if (last?.type === 'run.failed') {
    terminal.note(`${red('✗')} ${printable(last.failure.message)} ${dim(`(${last.failure.type})`)}`);
    return exitCodeOf(last.failure.type);
  }
  if (last?.type !== 'run.finished') return undefined;
  const output = outputText(last.result.outputArtifact === undefined ? last.result : await run.result());
  if (output.trim() !== lastReply.trim()) terminal.line(printable(output));
  terminal.note(`${last.result.status === 'completed' ? green('✓') : yellow('■')} ${summary(last.result)}`);
  return exitCodeOfResult(last.result);
}
