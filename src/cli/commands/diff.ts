import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { diffText } from '../render/diff.js';
import { openShelf } from '../shelf.js';

/** `ostinato diff`: what differs between two snapshots. */
export function addDiff(cli: Cli): void {
  cli
    .command(
      'diff <before> <after>',
      'What differs between two snapshots: what was said since they parted, then everything else. Needs no server.',
    )
    .addHelpText('after', '\nThe exit code is 0 also when they differ; --json tells by empty lists that they do not.')
    .action(cli.action(diff));
}

async function diff(context: Context, before: string, after: string) {
  const { terminal } = context;
  const { client } = await openShelf(context);
  const found = await client.diff(before, after);
  terminal.line(diffText(found, { before, after }, terminal.style));
  terminal.document(found);
}
