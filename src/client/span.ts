import { msToNumber } from '@temporalio/common/lib/time.js';
import { fail } from '../contract/failure.js';
import type { Span } from '../contract/json.js';

/** Milliseconds of a span. @throws `Input.Invalid` */
export function milliseconds(span: Span): number {
  try {
    return msToNumber(span as never);
  } catch (cause) {
    throw fail('Input.Invalid', `"${span}" is not a span of time. Write milliseconds, or words such as '90 seconds'.`, { cause });
  }
}
