import { createHash } from 'node:crypto';

/** The key of something that callers name as they like: 128 bits of a hash, over JSON, so that `a` + `bc` is not `ab` + `c`. */
export function keyOf(...names: string[]): Buffer {
  return createHash('sha256').update(JSON.stringify(names)).digest().subarray(0, 16);
}

/** For the eyes of operators: PostgreSQL's texts hold no zero byte. */
export function readable(name: string): string {
  return name.replaceAll('\0', '\uFFFD');
}
