/** What a tool returned, in the form in which the model sees it. */
import { failureOf } from '../contract/failure.js';
import type { Json } from '../contract/json.js';
import type { BlobStore } from '../store/store.js';
import { asText, beginningOf } from '../contract/cut-text.js';

/** A value as JSON: nothing is an empty text, a text stays one. Says in words why a value cannot be told to a model. */
export function toJson(value: unknown): { value: Json } | { problem: string } {
  if (value === undefined) return { value: '' };
  if (typeof value === 'string') return { value };
  try {
    const text = JSON.stringify(value, refuseWhatIsNoJson);
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return { problem: error instanceof RangeError ? 'it is too large or nested too deep' : reason };
  }
}

/** A result over the limit becomes its beginning and a note; the whole is stored as text. */
export async function fitResult(blobs: Pick<BlobStore, 'put'>, result: Json, limit: number): Promise<Json> {
  const text = asText(result);
  if (text.length <= limit) return result;
  const id = await blobs.put(text).catch(tooLarge);
  const beginning = beginningOf(text, limit);
  return `${beginning}\n… cut: ${beginning.length} of ${text.length} characters; the whole is ${id === undefined ? 'too large to be stored' : `stored as ${id}`}`;
}

function tooLarge(error: unknown): undefined {
  if (failureOf(error).type !== 'Input.TooLarge') throw error;
}

/** JSON leaves these out or makes them `{}`: the model would be told something wrong. */
function refuseWhatIsNoJson(this: unknown, key: string, value: unknown): unknown {
  const at = key === '' ? 'it is' : `"${key}" is`;
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint')
    throw new TypeError(`${at} of type ${typeof value}`);
  for (const Kind of [Map, Set, Promise, Error]) if (value instanceof Kind) throw new TypeError(`${at} of type ${Kind.name}`);
  return value;
}
