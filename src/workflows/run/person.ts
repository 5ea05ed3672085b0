/** A person says something in a pattern that asks for it. */
import { fail } from '../../contract/failure.js';
import type { Json, JsonObject } from '../../contract/json.js';
import type { PersonOptions } from '../../contract/pattern.js';
import { spanMs } from '../../contract/span.js';
import { request } from './requests.js';
import type { AnyRun } from './run.js';
import { checkTurns } from './turn-record.js';

const words: JsonObject = { type: 'string', minLength: 1 };
const schema: JsonObject = {
  anyOf: [
    words,
    {
      type: 'object',
      properties: { message: words, end: { type: 'boolean' } },
      required: ['message'],
      additionalProperties: false,
    },
    { type: 'object', properties: { end: { const: true } }, required: ['end'], additionalProperties: false },
  ],
};

const nobody = 'Nobody has answered. Go on without an answer.';

/**
 * Waits for words of a person, which join the transcript: `heard`. `end`: the person, or the time that was given, ends the run.
 * The answer is a text, or `{ "message"?, "end"? }`.
 */
export async function askPerson(
  run: AnyRun,
  id: string,
  { agent, timeout, onTimeout = 'end' }: PersonOptions & { agent?: string },
): Promise<'heard' | 'end'> {
  // Nobody is asked for words that no turn is left to hear.
  checkTurns(run);
  const timeoutMs = timeout === undefined ? undefined : spanMs(timeout);
  const prompt = run.lastReply || 'It is your turn to say something.';
  const answer = await request(run, id, {
    kind: 'question',
    prompt,
    schema,
    ...(agent !== undefined && { agent }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  if (answer.status === 'answered') return await hear(run, answer.response, answer.by);
  if (onTimeout === 'fail') throw fail('Request.Expired', `Nobody answered the request "${id}" within ${timeoutMs} ms.`, { final: true });
  if (onTimeout === 'end') {
    run.endsWith('person.silent', `Nobody answered the request "${id}" within ${timeoutMs} ms.`);
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
