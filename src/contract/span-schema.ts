/** Spans of time as zod schemas. Not for the sandbox. */
import { z } from 'zod';
import type { Span } from './json.js';
import { spanMs } from './span.js';

const timeError = 'must be a span of time over 0: milliseconds, or words such as "90 seconds", at most ten years';
const tenYears = 3650 * 86_400_000;

export const spanSchema = z.custom<Span>((span) => {
  const ms = spanMs(span);
  return ms !== undefined && ms > 0 && ms <= tenYears;
}, timeError);

/** `null` is never, whatever else would hold. */
export const expirySchema = z.custom<Span | null>(
  (span) => span === null || spanSchema.safeParse(span).success,
  `${timeError}; or null for never`,
);
