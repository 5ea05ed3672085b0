import { withAbsenceNoted } from '../absence.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { names, wholeNumber } from '../options.js';
import { openPlace } from '../place.js';
import { respondWords } from '../render/answers.js';
import { requestText } from '../render/requests.js';
import { count } from '../render/words.js';
import { printable } from '../terminal.js';

interface RequestsOptions {
  all?: boolean;
  for?: string[];
  limit: number;
}

/** `ostinato requests`: what a run, or every open run, asks people. */
export function addRequests(cli: Cli): void {
  cli
    .command('requests [run]', 'What a run asks people, and how to answer. Without a run: what all open runs ask.')
    .option('--all', 'of a run: those that have been answered or have expired, too')
    .option('--for <names>', 'without a run: only what waits for one of these assignees or roles, or for "anybody"', names)
    .option('--limit <n>', 'without a run: at most so many', wholeNumber, 50)
    .action(cli.action(requests));
}

async function requests(context: Context, id: string | undefined, options: RequestsOptions) {
  await (id === undefined ? ofAllRuns(context, options) : ofRun(context, id, options));
}

async function ofRun(context: Context, id: string, { all }: RequestsOptions) {
  const { terminal } = context;
  const place = await openPlace(context);
  const known = await withAbsenceNoted(context, place, place.client.attach(id).requests());
  const shown = known.filter(({ status }) => all || status === 'pending');
  for (const request of shown) {
    terminal.line(requestText(request, terminal.style, (answer) => context.next('respond', id, ...respondWords(request, answer))));
    terminal.line();
  }
  if (shown.length === 0) terminal.note(`${id} asks nobody anything${known.length > 0 ? ' any more' : ''}.`);
  terminal.document(shown);
}

async function ofAllRuns(context: Context, { for: whom, limit }: RequestsOptions) {
  const { terminal } = context;
  const { bold, cyan } = terminal.style;
  const place = await openPlace(context);
  const waiting = await withAbsenceNoted(context, place, place.client.requests({ limit, ...(whom && { for: whom }) }));
  for (const { runId, requests: open, failure } of waiting) {
    if (failure) terminal.note(terminal.noteStyle.yellow(printable(`${runId} cannot be asked: ${failure.message} (${failure.type})`)));
    for (const request of open) {
      terminal.line(bold(cyan(printable(runId))));
      terminal.line(requestText(request, terminal.style, (answer) => context.next('respond', runId, ...respondWords(request, answer))));
      terminal.line();
    }
  }
  const total = waiting.reduce((sum, run) => sum + run.requests.length, 0);
  if (total === 0) terminal.note(`No open run asks ${whom ? whom.join(' or ') : 'anybody'} anything.`);
  if (total >= limit) terminal.note(`The first ${count(limit, 'request')}; --limit shows more.`);
  terminal.document(waiting);
}
