/** Numbers that JavaScript cannot hold as they were written: 9007199254740993, 1.0, 1e400. They are kept as text. */
import { LosslessNumber } from 'lossless-json';

/** `value` is the number as it was written. `JSON.stringify` rounds it: `serializeAgentState` does not. */
export class ExactNumber extends LosslessNumber {
  /** The nearest number that JSON can hold. */
  toJSON(): number {
    return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, Number(this.value)));
  }
}

/** The number itself, when JavaScript writes it the same way; otherwise its text. */
export function numberOf(text: string): number | ExactNumber {
  return isExact(text) ? new ExactNumber(text) : Number(text);
}

/** Is it a number of JSON, but not as JavaScript writes it? */
export function isExact(text: string): boolean {
  return isNumber(text) && String(Number(text)) !== text;
}

export function isNumber(text: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text);
}
