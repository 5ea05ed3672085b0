import { Context } from '@temporalio/activity';
import { TidyUp, type JanitorTimes, type Round } from '../janitor/tidy-up.js';
import type { Store } from '../store/store.js';

const standard: JanitorTimes = { graceMs: 3600 * 1000, periodMs: 24 * 3600 * 1000 };

/** A round of the janitor. Safe to repeat. */
export function createTidyUp({ store, janitor = standard }: { store: Store; janitor?: JanitorTimes }) {
  return async function tidyUp(): Promise<Round> {
    const { client: temporal, info } = Context.current();
    const context = { temporal, store, taskQueue: store.environment.taskQueue };
    return await new TidyUp(context, info.currentAttemptScheduledTimestampMs, janitor, () => Context.current().heartbeat()).round();
  };
}
