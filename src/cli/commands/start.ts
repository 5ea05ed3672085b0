import { absence } from '../absence.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { withProjectOption, type ProjectOptions } from '../options.js';
import { openPlace } from '../place.js';
import { loadProject } from '../project.js';
import { findWhat, menu, readRunInput, startRun, withRunOptions, type RunOptions } from '../run-request.js';

/** `ostinato start`: start a run and return at once. Starts no server and no worker, as they would end at once too. */
export function addStart(cli: Cli): void {
  withProjectOption(withRunOptions(cli.command('start <what>', 'Start a pattern or an orchestration, print its id and return at once.')))
    .addHelpText('after', `\nPatterns:\n${menu()}\n\nExample:\n  ostinato start article --file notes.md --id article/notes`)
    .action(cli.action(start));
}

async function start(context: Context, name: string, options: RunOptions & ProjectOptions) {
  const { terminal, machine } = context;
  const what = await findWhat(name, await loadProject(machine.cwd, options.config));
  const input = await readRunInput(what, options, machine);
  const place = await openPlace(context);
  const handle = await startRun(place.client, what, input, options);
  terminal.line(handle.id);
  const { dim, yellow } = terminal.noteStyle;
  if ((await place.hasWorker()) === false) terminal.note(yellow(`${absence(context, place.taskQueue)} Until then the run waits.`));
  const uiUrl = place.uiUrl(handle.id);
  terminal.note(dim([`Watch it:  ${context.next('watch', handle.id)}`, uiUrl].filter(Boolean).join('\n')));
  terminal.document({ runId: handle.id, taskQueue: place.taskQueue, namespace: place.namespace, ...(uiUrl && { uiUrl }) });
}
