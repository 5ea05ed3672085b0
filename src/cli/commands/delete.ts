import type { DeletionReport } from '../../client.js';
import { fail } from '../../contract/failure.js';
import { isSnapshotId } from '../../contract/guards.js';
import { show } from '../../contract/problems.js';
import { withAbsenceNoted } from '../absence.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { inOtherWords } from '../in-other-words.js';
import { id, span } from '../options.js';
import { openPlace } from '../place.js';
import { deletionText } from '../render/deletion.js';
import { count } from '../render/words.js';
import { openShelf } from '../shelf.js';

interface DeleteOptions {
  force?: boolean;
  now?: boolean;
  timeout: string;
}

/** `ostinato delete`: take snapshots off the list, or delete everything that there is of runs and sessions. */
export function addDelete(cli: Cli): void {
  cli
    .command(
      'delete <ids...>',
      'Take snapshots off the list, or delete all that there is of a run or session, without asking. Snapshots need no server, runs need a worker.',
    )
    .option('--force', 'end runs that are open, now')
    .option('--now', 'texts that nobody refers to go as soon as no run is at work, and not after the grace')
    .option('--timeout <span>', 'wait no longer than this; it is done all the same', span, '1 minute')
    .action(cli.action(remove));
}

async function remove(context: Context, given: string[], options: DeleteOptions) {
  const ids = [...new Set(given)];
  const snapshots = ids.filter(isSnapshotId);
  const runs = ids.filter((other) => !isSnapshotId(other)).map(id);
  if (snapshots.length > 0 && runs[0] !== undefined)
    throw fail(
      'Input.Invalid',
      `${show(runs[0])} is no id of a snapshot. Delete runs and snapshots by commands of their own. Nothing was deleted.`,
    );
  const taken = snapshots.length > 0 ? await takeOff(context, snapshots) : {};
  const reports: DeletionReport[] = [];
  for (const run of runs) reports.push(await deleteRun(context, run, options));
  context.terminal.document({ ...taken, ...(reports.length > 0 && { runs: reports }) });
}

async function takeOff(context: Context, ids: string[]): Promise<{ deleted: string[]; missing: string[] }> {
  const { client } = await openShelf(context);
  const deleted = (await client.deleteSnapshots(ids)).map((snapshot) => snapshot.id);
  const missing = ids.filter((other) => !deleted.includes(other));
  context.terminal.line(`${count(deleted.length, 'snapshot')} deleted${missing.length > 0 ? `; ${missing.length} not on the list` : ''}.`);
  return { deleted, missing };
}

async function deleteRun(context: Context, run: string, options: DeleteOptions): Promise<DeletionReport> {
  const { terminal } = context;
  const place = await openPlace(context);
  context.onInterrupt(`Stopped waiting; it is done all the same. See:  ${context.next('delete', run)}`);
  const report = await withAbsenceNoted(context, place, place.client.deleteRun(run, options)).catch(
    inOtherWords({ 'Run.Open': () => `${run} is open. End it first, \`${context.next('cancel', run)}\`, or delete it with --force.` }),
  );
  terminal.line(deletionText(report));
  if (report.status === 'pending') terminal.note(terminal.noteStyle.dim(`How far it is:  ${context.next('delete', run)}`));
  return report;
}
