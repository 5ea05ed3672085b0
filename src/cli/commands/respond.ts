import { withAbsenceNoted } from '../absence.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { openPlace } from '../place.js';
import type { Json } from '../../contract/json.js';

/** `ostinato respond`: answer what a run asks. */
export function addRespond(cli: Cli): void {
  cli
    .command('respond <run> <request> <answer>', 'Answer a request: with words or, where it wants more than words, with JSON.')
    .option('--by <name>', 'who answers')
    .action(cli.action(respond));
}

async function respond(context: Context, id: string, requestId: string, answer: string, { by }: { by?: string }) {
  const { terminal } = context;
  const place = await openPlace(context);
  const handle = place.client.attach(id);
  const outcome = await withAbsenceNoted(context, place, handle.respond(requestId, read(answer), { ...(by !== undefined && { by }) }));
  terminal.line(`${requestId} is answered.`);
  terminal.document(outcome);
}

/** What is JSON means what it says; everything else is words. */
function read(answer: string): Json {
  try {
    return JSON.parse(answer) as Json;
  } catch {
    return answer;
  }
}
