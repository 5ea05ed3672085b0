import { serializeAgentState } from '../../agent-state/serialize.js';
import { isSnapshotId } from '../../contract/guards.js';
import type { RunExport } from '../../contract/snapshot.js';
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
  const { text, snapshotId } = agent === undefined ? await wholeRun(context, id) : { text: await agentState(context, id, agent) };
  if (out === undefined) {
    terminal.text(text);
    return;
  }
  const bytes = await writeWhole(out, text, machine);
  terminal.note(`Wrote ${out}: ${count(bytes, 'byte')}.`);
  if (snapshotId !== undefined)
    terminal.note(terminal.noteStyle.dim(`Go on with it anywhere:  ${quoted(['npx', 'ostinato', 'import', out, '--load'])}`));
  terminal.document({ file: out, bytes, ...(snapshotId !== undefined && { snapshotId }) });
}

async function wholeRun(context: Context, id: string): Promise<{ text: string; snapshotId: string }> {
  const document = await exported(context, id);
  return { text: `${JSON.stringify(document, undefined, context.terminal.json ? undefined : 2)}\n`, snapshotId: document.snapshotId };
}

async function exported(context: Context, id: string): Promise<RunExport> {
  if (isSnapshotId(id)) return await (await openShelf(context)).client.export(id);
  const place = await openPlace(context);
  return await withWaitNoted(context, place, stepInFlight, place.client.attach(id).export());
}

/** To the digit, so not by `JSON.stringify`. */
async function agentState(context: Context, id: string, agent: string): Promise<string> {
  if (isSnapshotId(id)) {
    const { agents } = await (await openShelf(context)).client.export(id, { agents: [agent] });
    return `${agents?.[agent] ?? ''}\n`;
  }
  const place = await openPlace(context);
  return `${serializeAgentState(await withAbsenceNoted(context, place, place.client.attach(id).agentState(agent)))}\n`;
}
