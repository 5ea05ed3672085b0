/** Events that only the workflow knows ride on the next activity's input: they cost no history event of their own. */
import { CancellationScope } from '@temporalio/workflow';
import type { EventType, EventTypes, NewEvent } from '../../contract/event.js';
import { jsonBytes } from '../../contract/size.js';
import type { StepInput } from '../../contract/step.js';
import type { RunState } from '../../state/run-state.js';
import { publish } from './activities.js';
import { inBranch } from './steps.js';

/** More than this does not ride along on an activity's input, which stays in the history: a local activity takes it, whose input does not. */
const rideBytes = 4 * 1024;

/** Beyond so many that wait, the oldest refusals give way: a flood of them must not grow the state, nor push out anything else. */
const mostRefusals = 50;

export class Outbox {
  /** An activity was run in this execution. */
  hasWorked = false;

  /** The last activity was a local one: what came in while it ran may not have been handed to the workflow yet. */
  isAhead = false;

  #sending: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly state: Pick<RunState, 'outbox' | 'eventCount' | 'nested' | 'branch' | 'conversationId'>,
    private readonly firstRunId: string,
  ) {}

  emit<T extends EventType>(type: T, fields: EventTypes[T] & Partial<Pick<NewEvent, 'turn' | 'step' | 'agent'>>): void {
    this.state.eventCount += 1;
    const event = { type, key: keyOf(type, fields, this.state.eventCount, this.state.branch), at: new Date().toISOString(), ...fields };
    this.state.outbox.push(event as unknown as NewEvent);
    if (type === 'input.refused') this.#forgetOldestRefusal();
  }

  get isWaiting(): boolean {
    return this.state.outbox.length > 0;
  }

  /** Runs an activity that takes the waiting events along. Should it fail, they wait again; the log leaves out doubles. */
  async along<T>(activity: (base: StepInput) => Promise<T>): Promise<T> {
    if (jsonBytes(this.state.outbox) > rideBytes) await this.flush();
    this.hasWorked = true;
    return await this.#carry(activity, false);
  }

  /** As `along`, with a local activity: its input is not recorded, so everything goes along. */
  async alongLocally<T>(activity: (base: StepInput) => Promise<T>): Promise<T> {
    return await this.#carry(activity, true);
  }

  /** Before a wait or the end. What another turn is just sending is waited for too: the end would cut it off. */
  async flush(): Promise<void> {
    const events = this.state.outbox.splice(0);
    if (events.length > 0) this.#sending = Promise.all([this.#sending, this.#send(events)]);
    await this.#sending;
  }

  /** Once nothing is on its way any more. */
  async sent(): Promise<void> {
    await this.#sending;
  }

  async #carry<T>(activity: (base: StepInput) => Promise<T>, isLocal: boolean): Promise<T> {
    const events = this.state.outbox.splice(0);
    try {
      return await activity({ ...this.#base, ...(events.length > 0 && { events }) });
    } catch (error) {
      this.state.outbox.unshift(...events);
      throw error;
    } finally {
      this.isAhead = isLocal;
    }
  }

  async #send(events: NewEvent[]): Promise<void> {
    try {
      await CancellationScope.nonCancellable(() => publish()({ ...this.#base, events }));
    } catch {
      // Lost for watchers only: the transcript is the truth.
    } finally {
      this.isAhead = true;
    }
  }

  get #base(): StepInput {
    const { nested, conversationId } = this.state;
    const isWoken = conversationId !== this.firstRunId;
    return { firstRunId: this.firstRunId, ...(isWoken && { conversationId }), ...(nested && { root: nested.root }) };
  }

  #forgetOldestRefusal(): void {
    const refusals = this.state.outbox.flatMap((event, i) => (event.type === 'input.refused' ? [i] : []));
    if (refusals.length > mostRefusals) this.state.outbox.splice(refusals[0] as number, 1);
  }
}

/**
 * By what it tells, where that is possible: when a worker is lost with its task, its events may be in the log already, and whoever
 * does the task again may have taken in more messages before it comes to them.
 */
function keyOf(
  type: EventType,
  about: { step?: string; turn?: number; messageId?: string; noticeId?: string; requestId?: string; times?: number; snapshotId?: string },
  count: number,
  branch?: number,
): string {
  const { step, turn, messageId, noticeId, requestId, times } = about;
  // What is saved again may be another snapshot by then, and that is the one on the list.
  const saved = type === 'snapshot.saved' ? about.snapshotId : undefined;
  const id = messageId ?? noticeId ?? saved ?? (times === undefined ? requestId : `${requestId}#${times}`);
  if (step !== undefined) return `${type}/${step}`;
  if (turn === undefined && id === undefined) return `${type}/#${count}`;
  return `${type}/${inBranch(turn === undefined ? `id:${id}` : String(turn), branch)}`;
}
