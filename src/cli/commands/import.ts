import { fail, failureOf } from '../../contract/failure.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { id } from '../options.js';
import { openPlace } from '../place.js';
import { readExport } from '../read-export.js';
import { openShelf } from '../shelf.js';
import { startFrom } from './load.js';

interface ImportOptions {
  load?: boolean;
  id?: string;
}

/** `ostinato import`: take in what `export` gave. */
export function addImport(cli: Cli): void {
  cli
    .command('import <file>', 'Take in what export gave, from a file or - for standard input, and print the id of its snapshot.')
    .option('--load', 'start a run from it at once, and print its id instead')
    .option('--id <id>', 'with --load: workflow id of the run (default: pattern/short id)', id)
    .addHelpText(
      'after',
      '\nA document that is damaged in any way is refused, and then nothing was taken in. Again is no problem.\n' +
        'Needs no server without --load.\n\nExamples:\n  ostinato import tea.json --load\n  ssh there ostinato export session/writer/tea | ostinato import -',
    )
    .action(cli.action(importState));
}

async function importState(context: Context, file: string, options: ImportOptions) {
  const { terminal, machine } = context;
  const { dim } = terminal.noteStyle;
  if (options.id !== undefined && !options.load) throw fail('Input.Invalid', '--id is the id of a run that is started: add --load.');
  const text = await readExport(file, machine);
  const place = options.load ? await openPlace(context) : undefined;
  const { client } = place ?? (await openShelf(context));
  const record = await client.import(text).catch((error: unknown) => sayWhatItIs(error, text));
  if (place) {
    terminal.note(dim(`Taken in as ${record.id}.`));
    await startFrom(context, place, record.id, { ...(options.id !== undefined && { id: options.id }) });
    return;
  }
  terminal.line(record.id);
  terminal.note(dim(`Start a run from it:  ${context.next('load', record.id)}`));
  terminal.document(record);
}

/** An agent's state document is JSON of ours as well, and easily taken for the other. */
function sayWhatItIs(error: unknown, text: string): never {
  const isAgentState = text.includes('"conversationHistory"') && !text.includes('"ostinato.export"');
  if (failureOf(error).type !== 'State.Unreadable' || !isAgentState) throw error;
  throw fail('State.Unreadable', "This is an agent's state. Take in what `ostinato export <run>` gives without --agent.", { cause: error });
}
