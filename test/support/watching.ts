/** What a watcher makes of events, and what a transcript says of the same. */
import type { RunEvent } from '../../src/contract/event.js';
import { textOf } from '../../src/contract/message.js';
import type { Entry } from '../../src/contract/transcript.js';

/** The words of each model call, by step: deltas of its highest attempt, in order. */
export function watchedTexts(events: readonly RunEvent[]): Map<string, string> {
  const steps = new Map<string, { attempt: number; text: string }>();
  for (const event of events) {
    if ((event.type !== 'delta' && event.type !== 'step.restarted') || event.step === undefined) continue;
    // A step that has only begun again has said nothing yet; a tool's step never does.
    const { attempt = 1 } = event;
    const known = steps.get(event.step);
    if (known && known.attempt > attempt) continue;
    const before = known?.attempt === attempt ? known.text : '';
    steps.set(event.step, { attempt, text: event.type === 'delta' && !event.kind ? before + event.text : before });
  }
  return new Map([...steps].filter(([step]) => isModelCall(step)).map(([step, { text }]) => [step, text]));
}

/** The same from the transcript: every reply of an agent, by step. */
export function writtenTexts(entries: readonly Entry[]): Map<string, string> {
  const written = new Map<string, string>();
  const calls = new Map<number, number>();
  for (const { message, turn, reply } of entries) {
    if (turn === undefined || !reply) continue;
    const call = (calls.get(turn) ?? 0) + 1;
    calls.set(turn, call);
    if (textOf(message) !== '') written.set(`${turn}/${call}`, textOf(message));
  }
  return written;
}

function isModelCall(step: string): boolean {
  return step.split('/').length === 2;
}
