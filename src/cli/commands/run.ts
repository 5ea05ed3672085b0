import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { exitCodeOfResult } from '../exit-codes.js';
import { openPlaceOrStart } from '../local.js';
import { withProjectOption, type ProjectOptions } from '../options.js';
import { loadProject } from '../project.js';
import { outputText, summary } from '../render/words.js';
import { findWhat, menu, readRunInput, startRun, withRunOptions, type RunOptions } from '../run-request.js';
import { printable } from '../terminal.js';
import { watchToEnd } from '../watching.js';

/** `ostinato run`: start a run, watch it, and end as it ends. */
export function addRun(cli: Cli): void {
  withProjectOption(withRunOptions(cli.command('run <what>', 'Start a pattern or an orchestration, watch it, and end as it ends.')))
    .addHelpText(
      'after',
      `\nPatterns:\n${menu()}\n\nExamples:\n  ostinato run article --file notes.md\n` +
        `  ostinato run sequential --agents writer,editor --task "Tea in three sentences."`,
    )
    .action(cli.action(run));
}

async function run(context: Context, name: string, options: RunOptions & ProjectOptions) {
  const { terminal, machine } = context;
  const project = await loadProject(machine.cwd, options.config);
  const what = await findWhat(name, project);
  const input = await readRunInput(what, options, machine);
  // The project is asked for only where the worker has to be this process.
  let endsWithUs = false;
  const place = await openPlaceOrStart(context, async () => {
    endsWithUs = true;
    return project;
  });
  const startedAt = Date.now();
  const handle = await startRun(place.client, what, input, options);
  const { dim, green, yellow } = terminal.noteStyle;
  terminal.note(dim([`run ${handle.id}`, place.uiUrl(handle.id)].filter(Boolean).join(' · ')));
  if (what === 'session')
    terminal.note(dim(`A session stays open: Ctrl-C stops watching, \`${context.next('cancel', handle.id)}\` ends it.`));
  context.onInterrupt(farewell(context, handle.id, options, endsWithUs));
  const { lastReply } = await watchToEnd(context, place, handle, { hidesTask: true });
  const result = await handle.result();
  const output = outputText(result);
  if (output.trim() !== lastReply.trim()) terminal.line(printable(output));
  terminal.note(`${result.status === 'completed' ? green('✓') : yellow('■')} ${summary(result, Date.now() - startedAt)}`);
  terminal.document(result);
  return exitCodeOfResult(result);
}

function farewell(context: Context, id: string, { config }: ProjectOptions, endsWithUs: boolean): string {
  const watch = context.next('watch', id);
  if (!endsWithUs) return `Stopped watching; the run is not stopped. Come back with:  ${watch}`;
  const dev = context.next('dev', ...(config === undefined ? [] : ['--config', config]));
  return `Stopped. The worker ended with this command, so the run waits. It goes on with:  ${dev}\nWatch it there, from another terminal:  ${watch}`;
}
