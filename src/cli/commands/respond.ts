import { withAbsenceNoted } from '../absence.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { openPlace } from '../place.js';
import { failureOf } from '../../contract/failure.js';
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
  const who = by === undefined ? {} : { by };
  const outcome = await withAbsenceNoted(
    context,
    place,
    send(answer, (response) => handle.respond(requestId, response, who)),
  );
  terminal.line(`${requestId} is answered.`);
  terminal.document(outcome);
}

/** What is JSON means what it says; a bare `42` or `true` is meant as a word where the request wants words. */
async function send<T>(answer: string, respond: (response: Json) => Promise<T>): Promise<T> {
  const read = asJson(answer);
  if (read === undefined) return await respond(answer);
  try {
    return await respond(read);
  } catch (error) {
    if (failureOf(error).type !== 'Input.Invalid' || typeof read === 'object') throw error;
    return await respond(answer).catch(() => Promise.reject(error as Error));
  }
}

function asJson(answer: string): Json | undefined {
  try {
    return JSON.parse(answer) as Json;
  } catch {
    return undefined;
  }
}
