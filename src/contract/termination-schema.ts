/** Termination conditions as a zod schema. Not for the sandbox. */
import { z } from 'zod';
import { nameSchema } from './agent-schema.js';
import { textSchema } from './message-schema.js';
import { isObject, list, wholeNumber, withoutNulls } from './schema-words.js';
import { spanSchema } from './span-schema.js';
import { conditionBounds, type Condition } from './termination.js';

/** A condition or a tree of them. Its size is looked at first: a tree that is too large is not read at all. */
export const terminationSchema = z.unknown().transform((value, context): Condition => {
  const tooLarge = problemOfSize(value);
  if (tooLarge) {
    context.issues.push({ code: 'custom', input: value, ...tooLarge });
    return z.NEVER;
  }
  const result = conditionSchema.safeParse(value);
  if (result.success) return result.data;
  context.issues.push(...result.error.issues.map((issue) => ({ ...issue, input: value }) as z.core.$ZodRawIssue));
  return z.NEVER;
});

const conditionError = 'must be a condition such as { "type": "maxMessages", "max": 20 }';

const source = textSchema('a name of 1 to 200 characters', /^[^]{1,200}$/);
const sources = list(source, 'must be a list of at least one name', 1, 100);
const yes = z.boolean('must be true or false');
const tokens = wholeNumber().optional();
const { within } = conditionBounds;
const conditions = list(
  z.lazy((): z.ZodType<Condition> => conditionSchema),
  'must be a list of at least one condition',
  1,
  within,
);

const conditionSchemas = [
  condition('maxMessages', { max: wholeNumber() }),
  condition('maxTurns', { max: wholeNumber() }),
  condition('textMention', {
    text: textSchema('a text of 1 to 1000 characters', /^[^]{1,1000}$/),
    sources: sources.optional(),
    includeTask: yes.optional(),
    caseSensitive: yes.optional(),
  }),
  condition('stopMessage', {}),
  condition('handoffTo', { target: source }),
  condition('functionCall', { name: source }),
  condition('textMessage', { source: source.optional() }),
  condition('source', { sources }),
  condition('tokenUsage', { total: tokens, input: tokens, output: tokens }).refine(
    ({ total, input, output }) => (total ?? input ?? output) !== undefined,
    'must hold at least one of total, input and output',
  ),
  condition('timeout', { after: spanSchema }),
  condition('external', {}),
  condition('custom', { function: nameSchema }),
  condition('and', { conditions }),
  condition('or', { conditions }),
] as const;

const typeError = `must be one of ${conditionSchemas.map((schema) => schema.shape.type.value).join(', ')}`;

const conditionSchema: z.ZodType<Condition> = z.preprocess(
  withoutNulls,
  z.discriminatedUnion('type', conditionSchemas, { error: (issue) => (issue.code === 'invalid_union' ? typeError : conditionError) }),
);

/** As `strict`, which a union cannot look into: members that are all known, and a list of them for whoever writes another. */
function condition<Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) {
  const known = ['type', ...Object.keys(shape)].join(',');
  return z.strictObject(
    { type: z.literal(type), ...shape },
    { error: (issue) => (issue.code === 'unrecognized_keys' ? known : conditionError) },
  );
}

/** Level by level, and never more than a tree may have. Lists that are too long are found wrong by the schema, which does not enter them. */
function problemOfSize(value: unknown): { path: PropertyKey[]; message: string } | undefined {
  const { levels, inAll } = conditionBounds;
  let level: { value: unknown; path: PropertyKey[] }[] = [{ value, path: [] }];
  let count = 0;
  for (let depth = 1; level.length > 0; depth++) {
    count += level.length;
    if (count > inAll) return { path: [], message: `must be a tree of at most ${inAll} conditions in all` };
    const inner: typeof level = [];
    for (const place of level) {
      const children = isObject(place.value) && Array.isArray(place.value.conditions) ? (place.value.conditions as unknown[]) : [];
      if (children.length === 0 || children.length > within) continue;
      if (depth === levels) {
        const message = `must be one without conditions of its own at level ${levels}, the deepest there is`;
        return { path: [...place.path, 'type'], message };
      }
      inner.push(...children.map((child, i) => ({ value: child, path: [...place.path, 'conditions', i] })));
    }
    level = inner;
  }
  return undefined;
}
