import { withAbsenceNoted } from '../absence.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { openPlace } from '../place.js';
import { statusText } from '../render/status.js';

/** `ostinato status`: where a run is. */
export function addStatus(cli: Cli): void {
  cli.command('status <run>', 'Where a run is, also after it has ended.').action(cli.action(status));
}

async function status(context: Context, id: string) {
  const { terminal } = context;
  const place = await openPlace(context);
  const found = await withAbsenceNoted(context, place, place.client.attach(id).status());
  terminal.line(statusText(found, terminal.style, place.uiUrl(id)));
  terminal.document(found);
}
