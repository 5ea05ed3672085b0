import { fail } from '../../contract/failure.js';
import { isSnapshotId } from '../../contract/guards.js';
import { withAbsenceNoted } from '../absence.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { quoted } from '../options.js';
import { openPlace } from '../place.js';
import { count } from '../render/words.js';
import { openShelf } from '../shelf.js';
import { stepInFlight, withWaitNoted } from '../waiting.js';
import { writeWhole } from '../write-whole.js';

interface ExportOptions {
  agent?: string;
  out?: string;
}

/** `ostinato export`: a run as one document that goes on anywhere, or an agent's state document. */
export function addExport(cli: Cli): void {
  cli
    .command('export <run-or-snapshot>', 'A run, or a snapshot by its id, as one JSON document that goes on anywhere: see import.')
    .option('--agent <name>', "instead, this agent's state in the form that .NET and Python read too")
    .option('--out <file>', 'write it there: all of it or nothing, in place of a file that is there already')
    .addHelpText(
      'after',
      '\nOf a run a snapshot is kept first, as by `ostinato save`; that of a snapshot needs no server.\n\nExamples:\n' +
        '  ostinato export session/writer/tea --out tea.json\n  ostinato export session/writer/tea --agent writer',
    )
    .action(cli.action(exportState));
}

async function exportState(context: Context, id: string, { agent, out }: ExportOptions) {
  const { terminal, machine } = context;
  const document = await documentOf(context, id, agent);
  const snapshotId = 'snapshotId' in document ? document.snapshotId : undefined;
  if (out === undefined) {
    if (terminal.json) terminal.document(document);
    else terminal.write(textOf(document));
    return;
  }
  const bytes = await writeWhole(out, textOf(document), machine);
  terminal.note(`Wrote ${out}: ${count(bytes, 'byte')}.`);
  if (snapshotId !== undefined)
    terminal.note(terminal.noteStyle.dim(`Go on with it anywhere:  ${quoted(['npx', 'ostinato', 'import', out, '--load'])}`));
  terminal.document({ file: out, bytes, ...(snapshotId !== undefined && { snapshotId }) });
}

async function documentOf(context: Context, id: string, agent: string | undefined) {
  if (isSnapshotId(id)) {
    if (agent === undefined) return await (await openShelf(context)).client.export(id);
    throw fail('Input.Invalid', `With --agent name a run, not a snapshot. Start one from it: \`${context.next('load', id)}\`.`);
  }
  const place = await openPlace(context);
  const handle = place.client.attach(id);
  return agent === undefined
    ? await withWaitNoted(context, place, stepInFlight, handle.export())
    : await withAbsenceNoted(context, place, handle.agentState(agent));
}

function textOf(document: object): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
