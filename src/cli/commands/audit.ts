import { withAbsenceNoted } from '../absence.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { openPlace } from '../place.js';
import { auditCsv, auditText } from '../render/audit.js';

/** `ostinato audit`: who was asked what in a run, and who answered what. */
export function addAudit(cli: Cli): void {
  cli
    .command('audit <run>', 'Who was asked what in a run, and who answered what and when: all of it.')
    .option('--csv', 'as a table for other programs')
    .action(cli.action(audit));
}

async function audit(context: Context, id: string, { csv }: { csv?: boolean }) {
  const { terminal } = context;
  const place = await openPlace(context);
  const entries = await withAbsenceNoted(context, place, place.client.attach(id).audit());
  if (csv) terminal.write(auditCsv(entries));
  else if (entries.length > 0) terminal.line(auditText(entries, terminal.style));
  else terminal.note(`${id} has asked nobody anything.`);
  terminal.document(entries);
}
