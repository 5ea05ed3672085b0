/** Ids of messages that the run does not remember any more are still in the transcript. */
import { findMessage, stepFailure } from './activities.js';
import type { AnyRun } from './run.js';

/** It was said long ago, and is answered already: its turn is known again. */
export async function wasSaid(run: AnyRun, id: string): Promise<boolean> {
  const { state } = run;
  if (!state.forgotten) return false;
  const { head } = state.transcript;
  const found = await run.outbox
    .alongLocally((base) => findMessage()({ ...base, id, head, fresh: run.transcript.since(head) }))
    .catch((error: unknown) => {
      throw stepFailure(error, 'Store.Unavailable', 'Looking for a message');
    });
  const said = state.said.find((message) => message.id === id);
  if (!found.isThere || !said) return false;
  if (found.reply === undefined)
    Object.assign(said, { status: 'failed', failure: { type: 'Run.Closed', message: 'It was never answered.' } });
  else Object.assign(said, { status: 'completed', reply: found.reply });
  return true;
}
