import { fileURLToPath } from 'node:url';
import { analyst, editor, exampleApplication, writer } from '../../agents/catalog/index.js';
import { openSession, startDemo, type DemoCast } from '../../dev/demo.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { exitCodeOfResult } from '../exit-codes.js';
import { startServer, startWorkerHere } from '../local.js';
import { openPlace } from '../place.js';
import { count, outputText, summary } from '../render/words.js';
import { readTextFile } from '../read-text.js';
import { printable } from '../terminal.js';
import { watchToEnd } from '../watching.js';

/** `ostinato demo`: three agents work on a document; then one command goes on with the conversation. */
export function addDemo(cli: Cli): void {
  cli
    .command('demo', 'Three agents work on a document, one after another. Nothing to configure, no key needed.')
    .option('--file <path>', 'a document of yours (default: one that comes with the package)')
    .action(cli.action(demo));
}

const shipped = fileURLToPath(new URL('../../../examples/documents/longitude.md', import.meta.url));
const cast: DemoCast = { agents: [inline(analyst), inline(writer), inline(editor)], host: inline(editor) };

async function demo(context: Context, { file }: { file?: string }) {
  const { terminal, machine, config } = context;
  const { bold, cyan, dim } = terminal.style;
  const document = await readTextFile(file ?? shipped, machine);
  const begun = Date.now();
  await startServer(context, { adopt: false });
  const place = await openPlace(context);
  await startWorkerHere(context, { application: exampleApplication, directory: machine.cwd });

  terminal.line(`${dim('Document   ')}${file ?? 'longitude.md'}, ${count(document.trim().split(/\s+/).length, 'word')}`);
  terminal.line(`${dim('Temporal   ')}${place.address}, data in ${config.dataDir}`);
  const startedAt = Date.now();
  const run = await startDemo({ client: place.client, cast, document });
  const uiUrl = place.uiUrl(run.id);
  terminal.line(`${dim('Run        ')}${[run.id, uiUrl].filter(Boolean).join('  ')}`);
  terminal.line();
  context.onInterrupt(
    `Stopped. The run goes on with the next worker, \`${context.next('dev')}\`; watch it with:  ${context.next('watch', run.id)}`,
  );
  await watchToEnd(context, place, run, { chatty: true, hidesTask: true });
  const result = await run.result();
  const seconds = (Date.now() - startedAt) / 1000;
  terminal.line(bold('Result'));
  terminal.line(printable(outputText(result)));
  terminal.line();
  terminal.line(dim(`${summary(result, seconds * 1000)} · from the first line ${((Date.now() - begun) / 1000).toFixed(1)} s`));

  const session = await openSession({ client: place.client, cast, run });
  const next = context.next('say', session.id, 'Make it shorter.');
  if (uiUrl) terminal.line(dim(`Every step of it: ${uiUrl} (while the server runs; \`${context.next('dev')}\` starts it again)`));
  terminal.line();
  terminal.line(`Go on with the conversation, today or tomorrow:  ${bold(cyan(next))}`);
  terminal.document({ runId: run.id, sessionId: session.id, result, seconds, ...(uiUrl && { uiUrl }), next });
  return exitCodeOfResult(result);
}

function inline({ name, description, instructions }: { name: string; description?: string; instructions: string }) {
  return { name, description, instructions };
}
