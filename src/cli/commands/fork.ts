import { began } from '../began.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { id as runId, span } from '../options.js';
import { openPlace } from '../place.js';
import { stepInFlight, withWaitNoted } from '../waiting.js';

interface ForkOptions {
  snapshot?: string;
  as?: string;
  timeout?: string;
}

/** `ostinato fork`: another run from here; both go on by themselves. */
export function addFork(cli: Cli): void {
  cli
    .command('fork <run>', 'Start another run from what a run is now, or was, and print its id. Both go on by themselves.')
    .option('--snapshot <id>', 'from this snapshot of the run (default: from now)')
    .option('--as <id>', "workflow id of the new run (default: the run's own with an addition)", runId)
    .option('--timeout <span>', 'wait no longer than this for the step in flight; it is done nevertheless', span)
    .action(cli.action(fork));
}

async function fork(context: Context, id: string, { snapshot, as, timeout }: ForkOptions) {
  const { terminal, signal } = context;
  const place = await openPlace(context);
  context.onInterrupt(`Stopped waiting; once accepted, it is done all the same. See:  ${context.next('status', id)}`);
  const forking = place.client.attach(id).fork({
    ...(snapshot !== undefined && { snapshotId: snapshot }),
    ...(as !== undefined && { as }),
    ...(timeout !== undefined && { timeout }),
  });
  const forked = await withWaitNoted(context, place, stepInFlight, forking);
  context.onInterrupt(`The run ${forked.id} was started. Watch it:  ${context.next('watch', forked.id)}`);
  await began(forked, signal);
  const uiUrl = place.uiUrl(forked.id);
  terminal.line(forked.id);
  terminal.note(terminal.noteStyle.dim([`Watch it:  ${context.next('watch', forked.id)}`, uiUrl].filter(Boolean).join('\n')));
  terminal.document({ runId: forked.id, forkedFrom: id, ...(uiUrl && { uiUrl }) });
}
