import { fail } from '../../contract/failure.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { inOtherWords } from '../in-other-words.js';
import { position, span } from '../options.js';
import { openPlace } from '../place.js';
import { stepInFlight, withWaitNoted } from '../waiting.js';

interface RollbackOptions {
  turn?: number;
  timeout?: string;
}

/** `ostinato rollback`: put a run back to what it was. */
export function addRollback(cli: Cli): void {
  cli
    .command('rollback <run> [snapshot]', 'Put a run back to a snapshot of it, or to after a turn. What it was before stays as a snapshot.')
    .option('--turn <n>', 'to the newest snapshot made when this turn was the last one', position)
    .option('--timeout <span>', 'wait no longer than this for the step in flight; it is done nevertheless', span)
    .action(cli.action(rollback));
}

async function rollback(context: Context, id: string, snapshot: string | undefined, { turn, timeout }: RollbackOptions) {
  const { terminal } = context;
  if ((snapshot === undefined) === (turn === undefined)) {
    const choose = snapshot === undefined ? 'Name a snapshot, or a turn with --turn' : 'Name either a snapshot or --turn, not both';
    throw fail('Input.Invalid', `${choose}. The snapshots there are: \`${context.next('snapshots', id)}\`.`);
  }
  const place = await openPlace(context);
  const handle = place.client.attach(id);
  context.onInterrupt(`Stopped waiting; once accepted, it is done all the same. See:  ${context.next('status', id)}`);
  const to = snapshot !== undefined ? { snapshotId: snapshot } : { turn: turn as number };
  const going = handle.rollback({ ...to, ...(timeout !== undefined && { timeout }) });
  const { snapshotId } = await withWaitNoted(context, place, stepInFlight, going).catch(
    inOtherWords({
      'State.NotFound': (message) => `${message} See \`${context.next('snapshots', id)}\`.`,
      'Run.Closed': () =>
        `${id} has ended, and is not put back any more. Start a run from the snapshot: \`${context.next('load', snapshot ?? '<id>')}\`.`,
    }),
  );
  const before = (await handle.snapshots({ limit: 10 })).find(({ reason }) => reason === 'rollback');
  terminal.line(`${id} is put back to ${snapshotId}.`);
  if (before) terminal.note(terminal.noteStyle.dim(`Undo it:  ${context.next('rollback', id, before.id)}`));
  terminal.document({ runId: id, snapshotId, ...(before && { undo: before.id }) });
}
