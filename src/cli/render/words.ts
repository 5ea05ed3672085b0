/** Numbers, times and texts as a person reads them. */
import type { RunResult } from '../../contract/run.js';
import type { Usage } from '../../contract/transcript.js';

/** `1 turn`, `2 turns`, `1,234 tokens` */
export function count(amount: number, noun: string): string {
  return `${amount.toLocaleString('en-US')} ${noun}${amount === 1 ? '' : 's'}`;
}

/** `1,234 tokens (1,000 in, 234 out)` */
export function tokens({ totalTokens, inputTokens, outputTokens }: Usage): string {
  return `${count(totalTokens, 'token')} (${inputTokens.toLocaleString('en-US')} in, ${outputTokens.toLocaleString('en-US')} out)`;
}

/** `0.8 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h` */
export function duration(ms: number): string {
  const seconds = Math.max(ms, 0) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  const units: [string, number][] = [
    ['d', Math.floor(total / 86_400)],
    ['h', Math.floor(total / 3600) % 24],
    ['min', Math.floor(total / 60) % 60],
    ['s', total % 60],
  ];
  const first = units.findIndex(([, amount]) => amount > 0);
  return units
    .slice(first, first + 2)
    .filter(([, amount]) => amount > 0)
    .map(([unit, amount]) => `${amount} ${unit}`)
    .join(' ');
}

/** `2 min ago`, for a moment that has passed. */
export function ago(at: string, now: number = Date.now()): string {
  const ms = now - Date.parse(at);
  return ms < 5000 ? 'just now' : `${duration(ms).split(/(?<=[a-z]) /)[0]} ago`;
}

/** A text on one line and not longer than that. */
export function short(text: string, length: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1).trimEnd()}…`;
}

/** What came of a run, in one line: `completed · 3 turns · 1,234 tokens (…) · 4.1 s` */
export function summary({ status, stopReason, rounds, usage }: RunResult, ms?: number): string {
  const outcome = status === 'completed' ? 'completed' : `${status}: ${stopReason.message}`;
  return [outcome, count(rounds, 'turn'), tokens(usage), ...(ms === undefined ? [] : [duration(ms)])].join(' · ');
}

/** The output of a run: text as it is, anything else as JSON. */
export function outputText({ output }: Pick<RunResult, 'output'>): string {
  return typeof output === 'string' ? output : output === null ? '' : JSON.stringify(output, undefined, 2);
}
