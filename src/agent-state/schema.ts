/**
 * The document as zod schema: what is read, from .NET, from Python, and from releases between. `npm run schema:write` makes
 * schemas/durable-agent-entity-state.schema.json of it. Members that it does not name are allowed everywhere.
 */
import { z } from 'zod';
import { isTimestamp } from '../contract/timestamp.js';
import { isCount } from './count.js';

/** What the JSON Schema says besides. Not zod's own registry, which is everybody's. */
const notes = z.registry<Record<string, unknown>>();

const textError = 'must be a text';
const text = z.string(textError).nullish();
const anything = z.unknown().optional();

const timestampError = 'must be a time as in RFC 3339, such as "2026-01-31T09:30:00.1+00:00"';
/** Python may write a time without its offset. */
const time = z
  .string(timestampError)
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,16})?(Z|[+-]\d\d:\d\d)?$/, timestampError)
  .refine((value) => isTimestamp(value) || isTimestamp(`${value}Z`), timestampError)
  .register(notes, { id: 'time' })
  .nullish();

const count = z
  .custom(isCount, 'must be a whole number of at most 64 bits')
  .register(notes, { id: 'count', type: 'integer', minimum: -(2 ** 63), maximum: 2 ** 63 })
  .nullish();
const usage = z
  .looseObject({ inputTokenCount: count, outputTokenCount: count, totalTokenCount: count }, 'must be counts of tokens')
  .register(notes, { id: 'usage' })
  .nullish();

const contentKinds = z.discriminatedUnion(
  '$type',
  [
    kind('text', { text }),
    kind('reasoning', { text }),
    // Arguments that are no object, and details that are no text, are Python's: they are mended when they are read.
    kind('functionCall', { callId: text, name: text, arguments: anything }),
    kind('functionResult', { callId: text, result: anything }),
    kind('error', { message: text, errorCode: text, details: anything }),
    kind('data', { uri: text, mediaType: text }),
    kind('uri', { uri: text, mediaType: text }),
    kind('hostedFile', { fileId: text }),
    kind('hostedVectorStore', { vectorStoreId: text }),
    kind('usage', { usage }),
    kind('unknown', { content: anything }),
  ],
  'must be a text that names the kind of content',
);
export const contentSchema = orOther(contentKinds, 'must be a content such as { "$type": "text", "text": "…" }').register(notes, {
  id: 'content',
});

export const messageSchema = z
  .looseObject(
    { role: z.string(textError), authorName: text, createdAt: time, contents: list(contentSchema, 'must be a list of contents') },
    'must be a message',
  )
  .register(notes, { id: 'message' });
const common = { correlationId: text, createdAt: time, messages: list(messageSchema, 'must be a list of messages') };
const entryKinds = z.discriminatedUnion(
  '$type',
  [
    kind('request', { ...common, orchestrationId: text, responseType: text, responseSchema: anything }),
    kind('response', { ...common, usage }),
  ],
  'must be a text that names the kind of entry, such as "request"',
);
export const entrySchema = orOther(entryKinds, 'must be an entry: a request, a response, or one of a later release').register(notes, {
  id: 'entry',
});

export const documentSchema = z.looseObject(
  {
    // Other versions are refused before this is asked.
    schemaVersion: z.string('must be a version such as "1.1.0"').regex(/^1\.\d{1,9}\.\d{1,9}$/, 'must be a version such as "1.1.0"'),
    data: z.looseObject(
      { conversationHistory: list(entrySchema, 'must be a list of entries'), expirationTimeUtc: time },
      'must be an object with a conversationHistory',
    ),
  },
  'must be an object with schemaVersion and data',
);

/** JSON Schema, draft 2020-12. */
export function documentJsonSchema() {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'durable-agent-entity-state 1.x',
    description: 'The state of a durable agent, as Ostinato reads it. What it writes fits this as well, without the nulls.',
    ...z.toJSONSchema(documentSchema, { unrepresentable: 'any', metadata: notes }),
  };
}

function kind<Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) {
  return z.looseObject({ $type: z.literal(type), ...shape });
}

/** A known kind, whose members are checked, or any other. */
function orOther<Kinds extends z.ZodDiscriminatedUnion>(kinds: Kinds, error: string) {
  const names = kinds.options.map((option) => (option as ReturnType<typeof kind>).shape.$type.value);
  const isOther = (name: string) => !names.includes(name);
  const other = z
    .string()
    .refine(isOther, { abort: true })
    .register(notes, { not: { enum: names } });
  return z.union([kinds, z.looseObject({ $type: other })], error);
}

function list<Item extends z.ZodType>(item: Item, error: string) {
  return z.array(item, error).nullish();
}
