/** Takes events to the log. The log is a courtesy: whatever happens to it, no step fails and none waits for long. */
import { Context, log as logger } from '@temporalio/activity';
import type { EventLogKey, NewEvent } from '../contract/event.js';
import type { PublishInput, StepInput } from '../contract/step.js';
import type { EventLog, Store } from '../store/store.js';

/** How long a step waits for the log. */
const patienceMs = 5000;

/** The activity that does nothing else. Safe to repeat: an event with a known key is left out. */
export function createPublish({ store }: { store: Pick<Store, 'events'> }) {
  return async function publish(input: PublishInput): Promise<void> {
    await publishEvents(store.events, input);
  };
}

/** What the workflow sent along, before the step has events of its own. */
export async function publishEvents(log: EventLog, { firstRunId, events = [] }: StepInput): Promise<void> {
  const workflowId = Context.current().info.workflowExecution?.workflowId;
  if (workflowId !== undefined && events.length > 0) await appendQuietly(log, { workflowId, firstRunId }, events);
}

export async function appendQuietly(log: EventLog, key: EventLogKey, events: readonly NewEvent[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The event log did not answer within ${patienceMs / 1000} seconds.`)), patienceMs);
  });
  try {
    await Promise.race([log.append(key, events), patience]);
  } catch (error) {
    const types = [...new Set(events.map(({ type }) => type))];
    logger.warn('Watchers miss some events: the event log could not be written. The run is not affected.', { error, types });
  } finally {
    clearTimeout(timer);
  }
}
