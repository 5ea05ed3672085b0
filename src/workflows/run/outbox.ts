/** Events that only the workflow knows ride on the next activity's input: they cost no history event of their own. */
import { CancellationScope } from '@temporalio/workflow';
import type { EventType, EventTypes, NewEvent } from '../../contract/event.js';
import { jsonBytes } from '../../contract/size.js';
import type { StepInput } from '../../contract/step.js';
import type { RunState } from '../../state/run-state.js';
import { publish } from './activities.js';

/** More than this does not ride along on an activity's input, which stays in the history: a local activity takes it, whose input does not. */
const rideBytes = 4 * 1024;

/** Beyond so many waiting events the oldest give way: a flood of refused signals must not grow the state. */
const capacity = 200;

export class Outbox {
  constructor(
    private readonly state: Pick<RunState, 'outbox' | 'eventCount'>,
    private readonly firstRunId: string,
  ) {}

  emit<T extends EventType>(type: T, fields: EventTypes[T] & Partial<Pick<NewEvent, 'turn' | 'step' | 'agent'>>): void {
    this.state.eventCount += 1;
    const event = { type, key: `run/${this.state.eventCount}`, at: new Date().toISOString(), ...fields };
    this.state.outbox.push(event as unknown as NewEvent);
    if (this.state.outbox.length > capacity) this.state.outbox.shift();
  }

  /** Runs an activity that takes the waiting events along. Should it fail, they wait again; the log leaves out doubles. */
  async along<T>(activity: (base: StepInput) => Promise<T>): Promise<T> {
    if (jsonBytes(this.state.outbox) > rideBytes) await this.flush();
    const events = this.state.outbox.splice(0);
    try {
      return await activity({ firstRunId: this.firstRunId, ...(events.length > 0 && { events }) });
    } catch (error) {
      this.state.outbox.unshift(...events);
      throw error;
    }
  }

  /** Before a wait or the end. */
  async flush(): Promise<void> {
    const events = this.state.outbox.splice(0);
    if (events.length === 0) return;
    try {
      await CancellationScope.nonCancellable(() => publish()({ firstRunId: this.firstRunId, events }));
    } catch {
      // Lost for watchers only: the transcript is the truth.
    }
  }
}
