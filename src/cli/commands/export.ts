import { withAbsenceNoted } from '../absence.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { openPlace } from '../place.js';

/** `ostinato export`: an agent's state document. */
export function addExport(cli: Cli): void {
  cli
    .command('export <run>', "An agent's state as a JSON document that .NET and Python read too.")
    .option('--agent <name>', 'whose state (default: the first agent)')
    .action(cli.action(exportState));
}

async function exportState(context: Context, id: string, { agent }: { agent?: string }) {
  const { terminal } = context;
  const place = await openPlace(context);
  const document = await withAbsenceNoted(context, place, place.client.attach(id).export(agent));
  terminal.line(JSON.stringify(document, undefined, 2));
  terminal.document(document);
}
