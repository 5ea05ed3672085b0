/** The run that this one is a part of. It tells when it ends, unless it was terminated: whoever waits for long looks whether it is still there. */
import { lookUpRun, stepFailure } from './activities.js';
import { now } from './clock.js';
import { orphan } from './post.js';
import type { AnyRun } from './run.js';

const hour = 3600 * 1000;
const mostPause = 24 * hour;

/** Less and less often, as long as one wait lasts. */
export class ParentWatch {
  #pause = hour;
  /** When to look, in milliseconds of the run's clock. */
  at: number;

  constructor(private readonly run: AnyRun) {
    this.at = run.state.nested ? now() + this.#pause : Infinity;
  }

  async look(): Promise<void> {
    const { nested } = this.run.state;
    if (!nested || this.at > now()) return;
    const found = await this.run.outbox
      .along((base) => lookUpRun('look for the run above')({ ...base, workflowId: nested.parent, presence: true }))
      .catch((error: unknown) => {
        throw stepFailure(error, 'Nested.Failed', `Looking for the run "${nested.parent}"`);
      });
    if (found.status !== 'open') orphan(this.run);
    this.#pause = Math.min(this.#pause * 4, mostPause);
    this.at = now() + this.#pause;
  }
}
