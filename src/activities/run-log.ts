/** Where a run's events go: to its own log and, of a nested run, to that of the run at the top, where it is watched. */
import { Context, log as logger } from '@temporalio/activity';
import type { EventLogKey, NewEvent } from '../contract/event.js';
import type { StepInput } from '../contract/step.js';
import type { EventLog } from '../store/store.js';

/** How long a step waits for the log. */
const patienceMs = 5000;

/** The log is a courtesy: whatever happens to it, no step fails and none waits for long. */
export class RunLog {
  private readonly own: EventLogKey;
  private readonly root: EventLogKey | undefined;
  /** What belongs to another run, or to an earlier execution of the same session, is deleted with it. */
  private readonly owner: EventLogKey | undefined;

  constructor(
    private readonly log: EventLog,
    { firstRunId, conversationId, root }: Pick<StepInput, 'firstRunId' | 'conversationId' | 'root'>,
  ) {
    this.own = { workflowId: Context.current().info.workflowExecution?.workflowId ?? '', firstRunId };
    this.root = root;
    this.owner = root ?? (conversationId === undefined ? undefined : { ...this.own, firstRunId: conversationId });
  }

  async append(events: readonly NewEvent[]): Promise<void> {
    if (events.length === 0) return;
    const nested = this.own.workflowId;
    const above = events.map((event): NewEvent => ({ ...event, key: `${nested}/${event.key}`, nested }));
    await Promise.all([this.#write(this.own, events, this.owner), this.root && this.#write(this.root, above)]);
  }

  async #write(key: EventLogKey, events: readonly NewEvent[], owner?: EventLogKey): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`The event log did not answer within ${patienceMs / 1000} seconds.`)), patienceMs);
    });
    try {
      await Promise.race([this.log.append(key, events, owner), patience]);
    } catch (error) {
      const types = [...new Set(events.map(({ type }) => type))];
      logger.warn('Watchers miss some events: the event log could not be written. The run is not affected.', { error, types });
    } finally {
      clearTimeout(timer);
    }
  }
}
