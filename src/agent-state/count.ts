import { ExactNumber } from './exact-number.js';

const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];

/** .NET reads counts of tokens into 64 bits. 12.0 is a whole number as well. */
export function isCount(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
  return value instanceof ExactNumber && (isLong(value.value) || Number.isSafeInteger(Number(value.value)));
}

/** A count in digits alone, as .NET reads it. */
export function asCount(value: number | ExactNumber): number | ExactNumber {
  // Not -0, which is no other count, and would not come back.
  return typeof value === 'number' || isLong(value.value) ? value : Number(value.value) + 0;
}

function isLong(text: string): boolean {
  if (!/^-?\d{1,19}$/.test(text)) return false;
  const count = BigInt(text);
  return count >= least && count <= most;
}
