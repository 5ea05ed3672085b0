import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { names, span } from '../options.js';
import { openPlace } from '../place.js';
import { stepInFlight, withWaitNoted } from '../waiting.js';

/** `ostinato save`: keep what a run is now. */
export function addSave(cli: Cli): void {
  cli
    .command('save <run>', 'Keep a snapshot of a run and print its id. The run goes on; one that has ended can be saved as well.')
    .option('--label <text>', 'for people, in the list of snapshots')
    .option('--agents <names>', 'whose state documents its export brings along: names with commas, or all', names)
    .option('--timeout <span>', 'wait no longer than this for the step in flight; it is saved nevertheless', span)
    .addHelpText('after', '\nExample:\n  id=$(ostinato save session/writer/tea --label "before the review")')
    .action(cli.action(save));
}

async function save(context: Context, id: string, options: { label?: string; agents?: string[]; timeout?: string }) {
  const { terminal } = context;
  const { timeout, agents, label } = options;
  const whose = agents?.length === 1 && agents[0] === 'all' ? 'all' : agents;
  const place = await openPlace(context);
  context.onInterrupt(`Stopped waiting; once accepted, it is done all the same. See:  ${context.next('status', id)}`);
  const saving = place.client.attach(id).save({
    ...(label !== undefined && { label }),
    ...(whose !== undefined && { agents: whose }),
    ...(timeout !== undefined && { timeout }),
  });
  const { snapshotId } = await withWaitNoted(context, place, stepInFlight, saving);
  terminal.line(snapshotId);
  terminal.note(terminal.noteStyle.dim(`Start a run from it:  ${context.next('load', snapshotId)}`));
  terminal.document({ runId: id, snapshotId });
}
