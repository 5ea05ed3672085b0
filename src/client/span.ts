import { fail } from '../contract/failure.js';
import type { Span } from '../contract/json.js';
import { spanMs } from '../contract/span.js';

/** Milliseconds of a span. @throws `Input.Invalid` */
export function milliseconds(span: Span): number {
  const ms = spanMs(span);
  if (ms === undefined) throw fail('Input.Invalid', `"${span}" is not a span of time. Write milliseconds, or words such as '90 seconds'.`);
  return ms;
}

/** The longest that a timer can wait, about 25 days. */
const longest = 2 ** 31 - 1;

/** Aborted after so long; what is meant to wait longer than a timer can, waits for ever. */
export function timeoutSignal(ms: number): AbortSignal {
  return ms > longest ? new AbortController().signal : AbortSignal.timeout(ms);
}
