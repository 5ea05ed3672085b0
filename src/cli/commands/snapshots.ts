import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { wholeNumber } from '../options.js';
import { snapshotsText } from '../render/snapshots.js';
import { openShelf } from '../shelf.js';

/** `ostinato snapshots`: what was kept of a run. */
export function addSnapshots(cli: Cli): void {
  cli
    .command('snapshots <run>', 'Snapshots of a run, newest first. They outlive it. Needs no server.')
    .option('--limit <n>', 'at most so many', wholeNumber, 20)
    .action(cli.action(snapshots));
}

async function snapshots(context: Context, id: string, { limit }: { limit: number }) {
  const { terminal } = context;
  const { dim } = terminal.noteStyle;
  const { client, where } = await openShelf(context);
  const found = await client.attach(id).snapshots({ limit });
  const [newest] = found;
  if (newest) {
    terminal.line(snapshotsText(found, terminal.style));
    terminal.note(dim(`Go back to the newest:  ${context.next('rollback', id, newest.id)}`));
    terminal.note(dim(`Start another run from it:  ${context.next('load', newest.id)}`));
  } else {
    terminal.note(`There are no snapshots of "${id}" on ${where}.`);
    terminal.note(dim(`Keep one:  ${context.next('save', id)}`));
  }
  terminal.document(found);
}
