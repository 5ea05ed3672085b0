import { Context } from '@temporalio/activity';

/** Well below any heartbeat timeout, and how long a cancellation may go unnoticed. */
const everyMs = 1000;

/** Tells the server what a later attempt may want to know. */
export type Beat = (details: unknown) => void;

/**
 * Runs the work of an activity with a heartbeat every second, so that a lost worker and a cancellation are noticed soon.
 * When the activity is cancelled, or its time is over, the signal is aborted and the cancellation thrown at once:
 * work that ignores the signal is left behind.
 */
export async function withHeartbeat<T>(work: (signal: AbortSignal, beat: Beat) => Promise<T>): Promise<T> {
  const context = Context.current();
  let latest: unknown;
  const beat: Beat = (details) => {
    latest = details;
    context.heartbeat(details);
  };
  const timer = setInterval(() => context.heartbeat(latest), everyMs);
  try {
    return await Promise.race([work(context.cancellationSignal, beat), context.cancelled]);
  } finally {
    clearInterval(timer);
  }
}
