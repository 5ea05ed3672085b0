/** A run that nobody works on waits for ever: whoever waits for it is told. */
import { fail } from '../contract/failure.js';
import type { Context } from './context.js';
import type { Place } from './place.js';

const firstLookMs = 1500;
const lookEveryMs = 3000;

/** Waits for `work`, and says so when meanwhile no worker polls the task queue, and again when one has come. */
export async function withAbsenceNoted<T>(
  context: Pick<Context, 'terminal' | 'signal' | 'next'>,
  place: Place,
  work: Promise<T>,
  taskQueue: string = place.taskQueue,
): Promise<T> {
  const { terminal, signal } = context;
  let isAbsent = false;
  let isOver = false;
  let looking = Promise.resolve();
  const look = async () => {
    const hasWorker = await place.hasWorker(taskQueue);
    if (isOver || signal.aborted || hasWorker === undefined || hasWorker === !isAbsent) return;
    isAbsent = !hasWorker;
    terminal.note(
      terminal.noteStyle.yellow(isAbsent ? `${absence(context, taskQueue)} Waiting.` : `A worker polls task queue "${taskQueue}" now.`),
    );
  };
  let timer = setTimeout(function next() {
    looking = look().then(() => {
      if (!isOver) timer = setTimeout(next, lookEveryMs);
    });
  }, firstLookMs);
  try {
    return await work;
  } catch (error) {
    throw await explained(error, context, place, taskQueue);
  } finally {
    isOver = true;
    clearTimeout(timer);
    await looking;
  }
}

/** A message is accepted by a worker: without one the attempt would end after some seconds. */
export async function untilSomebodyWorks(context: Pick<Context, 'terminal' | 'signal' | 'next'>, place: Place): Promise<void> {
  if ((await place.hasWorker()) !== false) return;
  const appearing = (async () => {
    while (!context.signal.aborted && (await place.hasWorker()) === false) await new Promise((resolve) => setTimeout(resolve, 1000));
  })();
  await withAbsenceNoted(context, place, appearing);
}

export function absence({ next }: Pick<Context, 'next'>, taskQueue: string): string {
  return `No worker is polling task queue "${taskQueue}": start one with \`${next('worker')}\`.`;
}

/** A question that only a worker can answer fails in several ways where there is none, not all of them with a type of ours. */
async function explained(error: unknown, context: Pick<Context, 'next'>, place: Place, taskQueue: string): Promise<unknown> {
  const { type } = error as { type?: string };
  const isClear = type !== undefined && type !== 'Connection.Failed';
  if (isClear || (await place.hasWorker(taskQueue)) !== false) return error;
  return fail('Connection.Failed', absence(context, taskQueue));
}
