/**
 * A message as zod schema: the members of the state contract, and whatever else it carries, kept as it is. Not for the sandbox,
 * which has `guards.ts`.
 */
import { z } from 'zod';
import { isTimestamp } from './timestamp.js';
import { jsonObject, list, withoutNulls } from './schema-words.js';

export function textSchema(what: string, form?: RegExp) {
  const error = `must be ${what}`;
  const schema = z.string(error);
  return form ? schema.regex(form, error) : schema;
}

const text = textSchema('a text');
const id = textSchema('an id', /^[^]{1,1000}$/);
const uri = textSchema('a URI', /^\S+$/);
const tokensError = 'must be a number of tokens';
const tokens = z.int(tokensError).min(0, tokensError).optional();

const contentSchemas = [
  content('text', { text }),
  content('reasoning', { text: text.optional() }),
  content('functionCall', { callId: id, name: id, arguments: jsonObject('must be an object').default({}) }),
  content('functionResult', { callId: id, result: z.unknown().optional() }),
  content('error', { message: text.optional(), errorCode: text.optional(), details: text.optional() }),
  content('data', { uri, mediaType: text.optional() }),
  content('uri', { uri, mediaType: text }),
  content('hostedFile', { fileId: id }),
  content('hostedVectorStore', { vectorStoreId: id }),
  content('usage', { usage: usage() }),
  // Readers in Python cannot go on with a session that holds an empty one.
  content('unknown', { content: z.custom(isFilled, 'must be JSON that is not empty') }),
] as const;

const contentTypes = contentSchemas.map((schema) => schema.shape.$type.value);

const contentError = 'must be a content such as { "$type": "text", "text": "…" }';
const typeError = `must be one of ${contentTypes.join(', ')}`;

const contentSchema = z.preprocess(
  withoutNulls,
  z.discriminatedUnion('$type', contentSchemas, { error: (issue) => (issue.code === 'invalid_union' ? typeError : contentError) }),
);

const timestampError = 'must be a time as in RFC 3339, such as "2026-01-31T09:30:00Z"';

export const messageSchema = z.preprocess(
  withoutNulls,
  z.looseObject(
    {
      role: textSchema('a role such as "user"', /^\S{1,64}$/),
      authorName: textSchema('a name', /^[^]{1,200}$/).optional(),
      createdAt: z.string(timestampError).refine(isTimestamp, timestampError).optional(),
      contents: list(contentSchema, 'must be a list of contents such as [{ "$type": "text", "text": "…" }]', 1),
    },
    'must be a message',
  ),
);

/** `$type` comes first in the shape, and so in what is read: a reader in .NET needs it there. */
function content<Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) {
  return z.looseObject({ $type: z.literal(type), ...shape });
}

function usage() {
  const counts = { inputTokenCount: tokens, outputTokenCount: tokens, totalTokenCount: tokens };
  return z.preprocess(withoutNulls, z.looseObject(counts, 'must be counts of tokens'));
}

function isFilled(value: unknown): boolean {
  return Boolean(value) && !(typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}
