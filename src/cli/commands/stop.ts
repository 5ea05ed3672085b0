import { withAbsenceNoted } from '../absence.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { openPlace } from '../place.js';

/** `ostinato stop`: meet the condition `external` of a run. */
export function addStop(cli: Cli): void {
  cli
    .command('stop <run>', 'Bring a run whose termination has an "external" condition to its end, after the turn in flight.')
    .option('--reason <text>', 'why, for those who look later')
    .action(cli.action(stop));
}

async function stop(context: Context, id: string, { reason }: { reason?: string }) {
  const { terminal } = context;
  const place = await openPlace(context);
  const { status } = await withAbsenceNoted(context, place, place.client.attach(id).stop({ ...(reason !== undefined && { reason }) }));
  terminal.line(status === 'stopping' ? `${id} comes to its end after the turn in flight.` : `${id}: ${status}.`);
  terminal.document({ runId: id, status });
}
