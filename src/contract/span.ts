import { msToNumber } from '@temporalio/common/lib/time.js';

/** A span in milliseconds, rounded up; `undefined` when it is none, or less than nothing. */
export function spanMs(span: unknown): number | undefined {
  if (typeof span !== 'number' && typeof span !== 'string') return undefined;
  try {
    const ms = Math.ceil(msToNumber(span as never));
    return ms >= 0 && ms < Infinity ? ms : undefined;
  } catch {
    return undefined;
  }
}
