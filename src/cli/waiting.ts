/** Whoever waits for something that a run does as soon as no step is in flight is told so. */
import { withAbsenceNoted } from './absence.js';
import type { Context } from './context.js';
import type { Place } from './place.js';
import { duration } from './render/words.js';

const quietMs = 2000;

/** @param words what is waited for: `Waiting for the step in flight` */
export async function withWaitNoted<T>(context: Context, place: Place, words: string, work: Promise<T>): Promise<T> {
  const { terminal, signal } = context;
  const startedAt = Date.now();
  const pulse = setInterval(() => {
    const waitedMs = Date.now() - startedAt;
    if (waitedMs >= quietMs && !signal.aborted) terminal.hint(`${words} (${duration(waitedMs)})`);
  }, 1000);
  try {
    return await withAbsenceNoted(context, place, work);
  } finally {
    clearInterval(pulse);
    terminal.clear();
  }
}

export const stepInFlight = 'Waiting for the step in flight';
