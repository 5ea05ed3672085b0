/** Follows a run to its end, in words or in JSON lines. */
import type { RunHandle } from '../client.js';
import type { RunEvent } from '../contract/event.js';
import { withAbsenceNoted } from './absence.js';
import type { Context } from './context.js';
import type { Place } from './place.js';
import { respondWords } from './render/answers.js';
import type { Addressed } from './render/asked.js';
import { EventPrinter } from './render/events.js';

export interface Watching {
  /** Only events after this `seq`. */
  from?: number;
  /** Where nobody looks at a screen, say every other second who is at work. */
  chatty?: boolean;
  taskQueue?: string;
  /** Whoever watches has just written the task. */
  hidesTask?: boolean;
}

export interface Watched {
  /** `run.finished` or `run.failed`. */
  last?: RunEvent;
  /** The last complete reply that was shown. */
  lastReply: string;
}

export async function watchToEnd(
  context: Context,
  place: Place,
  run: RunHandle,
  { from, chatty, taskQueue, hidesTask }: Watching = {},
): Promise<Watched> {
  const { terminal, signal } = context;
  const commands = {
    respond: (request: Addressed, answer: string) => context.next('respond', run.id, ...respondWords(request, answer)),
    requests: () => context.next('requests', run.id),
  };
  const printer = new EventPrinter(terminal, { commands, ...(hidesTask && { hidesTask }) });
  let last: RunEvent | undefined;
  const pulse = setInterval(() => {
    const text = printer.waitingFor();
    if (text === undefined || terminal.json || signal.aborted) return;
    if (chatty) terminal.progress(text);
    else terminal.hint(text);
  }, 1000);
  const follow = async () => {
    for await (const event of run.watch({ signal, ...(from !== undefined && { from }) })) {
      if (signal.aborted) return;
      if (terminal.json) terminal.document(event);
      else printer.print(event);
      last = event;
    }
  };
  try {
    await withAbsenceNoted(context, place, follow(), taskQueue);
  } finally {
    clearInterval(pulse);
    terminal.clear();
  }
  terminal.endLine();
  return { last, lastReply: printer.lastReply };
}
