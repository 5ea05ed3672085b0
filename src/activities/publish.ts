/** Takes events to the log. */
import type { PublishInput, StepInput } from '../contract/step.js';
import type { EventLog, Store } from '../store/store.js';
import { RunLog } from './run-log.js';

/** The activity that does nothing else. Safe to repeat: an event with a known key is left out. */
export function createPublish({ store }: { store: Pick<Store, 'events'> }) {
  return async function publish(input: PublishInput): Promise<void> {
    await publishEvents(store.events, input);
  };
}

/** What the workflow sent along, before the step has events of its own. */
export async function publishEvents(log: EventLog, input: StepInput): Promise<void> {
  await new RunLog(log, input).append(input.events ?? []);
}
