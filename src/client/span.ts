import { fail } from '../contract/failure.js';
import type { Span } from '../contract/json.js';
import { spanMs } from '../contract/span.js';

/** Milliseconds of a span. @throws `Input.Invalid` */
export function milliseconds(span: Span): number {
  const ms = spanMs(span);
  if (ms === undefined) throw fail('Input.Invalid', `"${span}" is not a span of time. Write milliseconds, or words such as '90 seconds'.`);
  return ms;
}
