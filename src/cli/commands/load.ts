import type { OstinatoClient, RunHandle } from '../../client.js';
import { absence } from '../absence.js';
import { began } from '../began.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { limitsOf, withLimitOptions, type LimitOptions } from '../limits.js';
import { id, names } from '../options.js';
import { openPlace, type Place } from '../place.js';

interface LoadOptions extends LimitOptions {
  id?: string;
  agents?: string[];
  orchestration?: string;
  override?: boolean;
}

/** `ostinato load`: start a run from a snapshot. */
export function addLoad(cli: Cli): void {
  withLimitOptions(
    cli
      .command('load <snapshot>', 'Start a run from a snapshot, as it was then, and print its id. Starts no server and no worker.')
      .option('--id <id>', 'workflow id of the run (default: pattern/short id)', id)
      .option('--agents <names>', 'the agents it has to have, separated by commas (default: those of the snapshot)', names)
      .option('--orchestration <name>', 'the orchestration it has to be of (default: that of the snapshot)')
      .option('--override', 'take what is given here where it differs from the snapshot; the run remembers that'),
  )
    .addHelpText('after', '\nExample:\n  ostinato load $(ostinato save session/writer/tea) --id session/writer/again')
    .action(cli.action(load));
}

async function load(context: Context, snapshotId: string, { id, agents, orchestration, override, ...options }: LoadOptions) {
  const limits = limitsOf(options);
  const place = await openPlace(context);
  await startFrom(context, place, snapshotId, {
    ...(id !== undefined && { id }),
    ...(agents && { agents }),
    ...(orchestration !== undefined && { orchestration }),
    ...(override && { override }),
    ...(limits && { limits }),
  });
}

/** Prints the id once the run has begun: one that cannot is a failure of this command. */
export async function startFrom(
  context: Context,
  place: Place,
  snapshotId: string,
  input: NonNullable<Parameters<OstinatoClient['load']>[1]>,
): Promise<RunHandle> {
  const { terminal, signal } = context;
  const { dim, yellow } = terminal.noteStyle;
  const handle = await place.client.load(snapshotId, input);
  context.onInterrupt(`The run ${handle.id} was started. Watch it:  ${context.next('watch', handle.id)}`);
  const hasWorker = (await place.hasWorker()) !== false;
  const status = hasWorker ? await began(handle, signal) : undefined;
  terminal.line(handle.id);
  if (!hasWorker) terminal.note(yellow(`${absence(context, place.taskQueue)} Until then the run waits.`));
  const speak = status?.pattern === 'session' ? `Go on with it:  ${context.next('say', handle.id, '…')}\n` : '';
  const uiUrl = place.uiUrl(handle.id);
  terminal.note(dim([`${speak}Watch it:  ${context.next('watch', handle.id)}`, uiUrl].filter(Boolean).join('\n')));
  terminal.document({ runId: handle.id, snapshotId, taskQueue: place.taskQueue, namespace: place.namespace, ...(uiUrl && { uiUrl }) });
  return handle;
}
