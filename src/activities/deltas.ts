import type { NewEvent } from '../contract/event.js';
import type { RunLog } from './run-log.js';

/** How long words are gathered before they are written. */
const batchMs = 60;

export interface StepTags {
  step: string;
  turn: number;
  agent: string;
  attempt: number;
}

type Fields = NewEvent extends infer E ? (E extends NewEvent ? Omit<E, 'key' | 'at' | keyof StepTags> : never) : never;

/** Events of one attempt of a step, written in batches. Closing never throws: events are a courtesy, the reply is the record. */
export class StepEvents {
  #waiting: NewEvent[] = [];
  #count = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly log: RunLog,
    private readonly tags: StepTags,
  ) {}

  add(event: Fields): void {
    const { step, attempt } = this.tags;
    this.#count += 1;
    this.#waiting.push({ ...event, ...this.tags, key: `${step}/${attempt}/${this.#count}`, at: new Date().toISOString() } as NewEvent);
    this.#timer ??= setTimeout(() => void this.flush(), batchMs);
  }

  /** Words that come together are one event. */
  delta(text: string, kind?: 'reasoning'): void {
    const last = this.#waiting.at(-1);
    if (last?.type === 'delta' && last.kind === kind) last.text += text;
    else this.add({ type: 'delta', text, ...(kind && { kind }) });
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#waiting.splice(0);
    if (events.length > 0) this.#writing = this.#writing.then(() => this.log.append(events));
    await this.#writing;
  }
}
