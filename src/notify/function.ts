import { failureOf } from '../contract/failure.js';
import type { Notice, NoticeOutcome } from '../contract/notice.js';
import type { NotifyFunction } from '../functions/define-function.js';

const longestMs = 10_000;

/** A function that does not listen to its signal is left behind. */
export async function callWithin(call: NotifyFunction, notice: Notice, cancelled: AbortSignal): Promise<NoticeOutcome> {
  const signal = AbortSignal.any([cancelled, AbortSignal.timeout(longestMs)]);
  const given = structuredClone(notice);
  try {
    await Promise.race([Promise.resolve().then(() => call(given, { signal })), aborted(signal)]);
    return { sent: true };
  } catch (error) {
    if (signal.aborted) return { sent: false, reason: `The function was not done within ${longestMs / 1000} seconds.` };
    return { sent: false, reason: `The function threw: ${failureOf(error).message.slice(0, 300)}` };
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    const stop = () => reject(new Error('It takes too long.'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
