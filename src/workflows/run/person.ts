/** A person says something in a pattern that asks for it. */
import { wordsSchema } from '../../contract/answers.js';
import { fail } from '../../contract/failure.js';
import type { Json } from '../../contract/json.js';
import type { PersonOptions } from '../../contract/pattern.js';
import { request } from './requests.js';
import type { AnyRun } from './run.js';
import { checkTurns } from './turn-record.js';

const nobody = 'Nobody has answered. Go on without an answer.';

/**
 * Waits for words of a person, which join the transcript: `heard`. `end`: the person, or the time that was given, ends the run.
 * The answer is a text, or `{ "message"?, "end"? }`.
 */
export async function askPerson(
  run: AnyRun,
  id: string,
  { agent, ...patience }: PersonOptions & { agent?: string },
): Promise<'heard' | 'end'> {
  // Nobody is asked for words that no turn is left to hear.
  checkTurns(run);
  const prompt = run.lastReply || 'It is your turn to say something.';
  const answer = await request(run, id, {
    kind: 'question',
    prompt,
    schema: wordsSchema,
    ...(agent !== undefined && { agent }),
    patience,
  });
  if (answer.response !== undefined) return await hear(run, answer.response, answer.status === 'answered' ? answer.by : undefined);
  const { outcome = 'end' } = answer as { outcome?: string };
  if (outcome === 'fail') throw fail('Request.Expired', `Nobody answered the request "${id}" in time.`, { final: true });
  if (outcome === 'end') {
    run.endsWith('person.silent', `Nobody answered the request "${id}" in time.`);
    return 'end';
  }
  run.tell(nobody);
  return 'heard';
}

async function hear(run: AnyRun, response: Json, by: string | undefined): Promise<'heard' | 'end'> {
  const { message, end = false } = typeof response === 'string' ? { message: response } : (response as { message?: string; end?: boolean });
  if (message !== undefined) {
    await run.listen({ role: 'user', ...(by !== undefined && { authorName: by }), contents: [{ $type: 'text', text: message }] });
  }
  return end ? 'end' : 'heard';
}
