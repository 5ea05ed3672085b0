import { withAbsenceNoted } from '../absence.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { openPlace } from '../place.js';
import { requestText } from '../render/requests.js';

/** `ostinato requests`: what a run asks people. */
export function addRequests(cli: Cli): void {
  cli
    .command('requests <run>', 'What a run asks people, and how to answer.')
    .option('--all', 'those that have been answered or have expired, too')
    .action(cli.action(requests));
}

async function requests(context: Context, id: string, { all }: { all?: boolean }) {
  const { terminal } = context;
  const place = await openPlace(context);
  const known = await withAbsenceNoted(context, place, place.client.attach(id).requests());
  const shown = known.filter(({ status }) => all || status === 'pending');
  for (const request of shown) {
    terminal.line(requestText(request, terminal.style, (answer) => context.next('respond', id, request.requestId, answer)));
    terminal.line();
  }
  if (shown.length === 0) terminal.note(`${id} asks nobody anything${known.length > 0 ? ' any more' : ''}.`);
  terminal.document(shown);
}
