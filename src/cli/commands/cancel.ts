import { withAbsenceNoted } from '../absence.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { openPlace } from '../place.js';

/** `ostinato cancel`: ask a run to end. */
export function addCancel(cli: Cli): void {
  cli
    .command('cancel <run>', 'End a run: after the turn in flight, or now.')
    .option('--now', 'abort the turn in flight')
    .option('--reason <text>', 'why, for those who look later')
    .action(cli.action(cancel));
}

async function cancel(context: Context, id: string, { now, reason }: { now?: boolean; reason?: string }) {
  const { terminal } = context;
  const place = await openPlace(context);
  const input = { mode: now ? 'immediate' : 'graceful', ...(reason !== undefined && { reason }) } as const;
  const { status } = await withAbsenceNoted(context, place, place.client.attach(id).cancel(input));
  const isOver = ['completed', 'stopped', 'cancelled', 'failed'].includes(status);
  terminal.line(isOver ? `${id} has ended: ${status}.` : `${id} was asked to end${now ? ' now' : ' after the turn in flight'}.`);
  terminal.document({ runId: id, status });
}
