import type { Collected } from '../../client.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { span } from '../options.js';
import { openPlace } from '../place.js';
import { count } from '../render/words.js';

/** `ostinato collect`: delete what nothing refers to any more. */
export function addCollect(cli: Cli): void {
  cli
    .command('collect', 'Delete from the store what no run and no snapshot refers to any more. Run it now and then, with workers running.')
    .option('--grace <span>', 'what nothing refers to is kept for so long after that was first seen, an hour at least', span, '1 day')
    .action(cli.action(collect));
}

async function collect(context: Context, { grace }: { grace: string }) {
  const { terminal } = context;
  const place = await openPlace(context);
  const collected = await place.client.collect({ grace });
  terminal.line(collectedText(collected));
  if (collected.doomed > 0) {
    const waiting = `${count(collected.doomed, 'text')} that nothing refers to ${collected.doomed === 1 ? 'is' : 'are'} kept for ${grace} more at most.`;
    terminal.note(terminal.noteStyle.dim(`${waiting} After that:  ${context.next('collect')}`));
  }
  terminal.document(collected);
}

function collectedText({ deleted, bytes, kept, runs, snapshots }: Collected): string {
  const megabytes = (bytes / 1024 / 1024).toLocaleString('en-US', { maximumFractionDigits: 1 });
  return `${count(deleted, 'text')} deleted (${megabytes} MB). ${count(kept, 'text')} kept for ${count(runs, 'run')} and ${count(snapshots, 'snapshot')}.`;
}
