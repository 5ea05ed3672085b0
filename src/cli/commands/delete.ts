import { fail } from '../../contract/failure.js';
import { isSnapshotId } from '../../contract/guards.js';
import { show } from '../../contract/problems.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { count } from '../render/words.js';
import { openShelf } from '../shelf.js';

/** `ostinato delete`: take snapshots off the list. */
export function addDelete(cli: Cli): void {
  cli
    .command(
      'delete <snapshots...>',
      'Take snapshots off the list, without asking. Runs that were loaded from them go on. Needs no server.',
    )
    .action(cli.action(remove));
}

async function remove(context: Context, given: string[]) {
  const { terminal } = context;
  const ids = [...new Set(given)];
  const wrong = ids.find((id) => !isSnapshotId(id));
  if (wrong !== undefined)
    throw fail('Input.Invalid', `${show(wrong)} is no id of a snapshot: that is 32 characters from 0 to f. Nothing was deleted.`);
  const { client } = await openShelf(context);
  const deleted = (await client.deleteSnapshots(ids)).map(({ id }) => id);
  const missing = ids.filter((id) => !deleted.includes(id));
  terminal.line(`${count(deleted.length, 'snapshot')} deleted${missing.length > 0 ? `; ${missing.length} not on the list` : ''}.`);
  terminal.document({ deleted, missing });
}
