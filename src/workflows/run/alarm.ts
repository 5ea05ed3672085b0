/** A timer that is set anew only when its time changes: whoever waits may be woken a thousand times before. */
import { CancellationScope, sleep } from '@temporalio/workflow';
import { now } from './clock.js';

export class Alarm {
  #scope: CancellationScope | undefined;
  #at = Infinity;
  rings = false;

  /** In milliseconds of the run's clock; `Infinity` is never. */
  set(at: number): void {
    if (at === this.#at && !this.rings) return;
    this.clear();
    this.#at = at;
    this.rings = false;
    if (at === Infinity) return;
    const scope = new CancellationScope({ cancellable: true });
    this.#scope = scope;
    void scope
      .run(() => sleep(Math.max(at - now(), 1)))
      .then(
        () => (this.rings ||= this.#scope === scope),
        () => undefined,
      );
  }

  clear(): void {
    this.#scope?.cancel();
    this.#scope = undefined;
    this.#at = Infinity;
  }
}
