/** The words that schemas of public documents are written with. Not for the sandbox. */
import { z } from 'zod';
import type { JsonObject } from './json.js';
import { show } from './problems.js';

/**
 * An object whose members are all known. Its error for an unknown one lists the known: `problemsOfZod` makes a hint of it.
 *
 * @param nullable members of which `null` says something else than that they are absent
 */
export function strict<Shape extends z.ZodRawShape>(shape: Shape, error: string, nullable: readonly string[] = []) {
  const known = Object.keys(shape).join(',');
  return z.preprocess(
    (value) => withoutNullsBut(nullable, value),
    z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? known : error) }),
  );
}

/** Enough for anybody to see what is wrong with a list. */
const wrongItems = 50;

/** A list that is not read to its end when it is wrong from its beginning: a document full of nonsense costs no more than a good one. */
export function list<Item extends z.ZodType>(item: Item, error: string, least = 0, most = 1000) {
  const items = z.array(z.unknown(), error).min(least, error).max(most, `must hold at most ${most}`);
  return items.transform((values, context) => {
    const read: z.output<Item>[] = [];
    let wrong = 0;
    for (const [i, value] of values.entries()) {
      const result = item.safeParse(value);
      if (result.success) read.push(result.data);
      else
        context.issues.push(
          ...result.error.issues.map((issue) => ({ ...issue, input: value, path: [i, ...issue.path] }) as z.core.$ZodRawIssue),
        );
      if (!result.success && ++wrong === wrongItems) break;
    }
    return read;
  });
}

export function wholeNumber(most: number = Number.MAX_SAFE_INTEGER, least = 1) {
  const error =
    most === Number.MAX_SAFE_INTEGER ? `must be a whole number of at least ${least}` : `must be a whole number from ${least} to ${most}`;
  return z.int(error).min(least, error).max(most, error);
}

/** Reads a value by the schema that is right for it, so that what is wrong is named in its own words. */
export function chosen(choose: (value: unknown) => z.ZodType) {
  return z.any().transform((value, context) => {
    const result = choose(value).safeParse(value);
    if (result.success) return result.data;
    context.issues.push(...result.error.issues.map((issue) => ({ ...issue, input: value }) as z.core.$ZodRawIssue));
    return z.NEVER;
  });
}

/** Any JSON object, passed on as it is. */
export function jsonObject(error: string) {
  return z.custom<JsonObject>(isObject, error);
}

/** Other languages write `null` for what is absent. */
export function withoutNulls(value: unknown): unknown {
  return withoutNullsBut([], value);
}

function withoutNullsBut(names: readonly string[], value: unknown): unknown {
  if (!isObject(value) || !Object.values(value).includes(null)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name, member]) => member !== null || names.includes(name)));
}

/** The JSON schema of a zod schema, as a model has to follow it, or why there is none. */
export function jsonSchemaOf(schema: unknown): { schema: JsonObject } | { problem: string } {
  if (!isZod(schema)) return { problem: `must be a schema of zod 4, such as z.object({ … }), not ${show(schema)}` };
  try {
    const { $schema: _, ...jsonSchema } = z.toJSONSchema(schema, { io: 'input' });
    // A copy without what only the library sees.
    return { schema: JSON.parse(JSON.stringify(jsonSchema)) as JsonObject };
  } catch (error) {
    return { problem: `has no JSON schema that a model could be told: ${error instanceof Error ? error.message : String(error)}` };
  }
}

export function isZod(value: unknown): value is z.ZodType {
  return typeof value === 'object' && value !== null && '_zod' in value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
