/** When a run has waited for so long that it may sleep: one timer for all of its waits, set anew only once it has rung. */
import { condition, sleep } from '@temporalio/workflow';
import { spanMs } from '../../contract/span.js';
import type { OpenTurn, RunState } from '../../state/run-state.js';
import { now } from './clock.js';
import type { AnyRun } from './run.js';
import { nextTime } from './sleeper.js';

const minute = 60_000;
const day = 24 * 60 * minute;

export class Quiet {
  /** It has been quiet for long, and all who wait meet to let the run sleep. */
  isLong = false;
  /** When turns have to be over, in milliseconds of the run's clock. */
  readonly deadlines = new Map<OpenTurn, number>();
  /** Waits that may be slept through. */
  #waits = 0;
  /** When somebody began or ended to wait, or something was heard. */
  #since = 0;
  #isWatched = false;

  constructor(private readonly run: AnyRun) {}

  begin(): void {
    this.#waits += 1;
    this.touch();
    const after = sleepAfterMs(this.run.state);
    if (this.#isWatched || after === Infinity) return;
    this.#isWatched = true;
    // Whoever happens to wait first may be broken off, and the run goes on.
    void this.run.scope.run(() => this.#watch(after)).catch(() => undefined);
  }

  end(): void {
    this.#waits -= 1;
    this.touch();
  }

  /** Something happens. Whoever was about to let the run sleep finds that there is something to do. */
  touch(): void {
    this.isLong = false;
    this.#since = now();
  }

  async #watch(after: number): Promise<void> {
    let pause = after;
    for (;;) {
      await sleep(Math.max(this.#since + pause - now(), 1), { summary: 'until it may sleep' });
      if (this.#since + pause > now()) continue;
      if (this.#isUniversal && !this.#isNearlyOver(after)) {
        this.isLong = true;
        await condition(() => !this.isLong);
        // It could not: less and less often, for that may take no history worth mentioning.
        pause = Math.min(pause * 2, Math.max(after, day));
      }
      this.touch();
    }
  }

  /** Time wakes it in a moment: at the instant, it may be, at which it would fall asleep. */
  #isNearlyOver(after: number): boolean {
    return nextTime(this.run) - now() < Math.min(after, minute);
  }

  /** Nobody does anything else. */
  get #isUniversal(): boolean {
    const { taking, waiting, parked } = this.run.traffic;
    return this.#waits > 0 && this.#waits === taking + waiting && parked === 0;
  }
}

/** `Infinity`: never. So it is for runs that began before any could sleep: their histories go on as they did. */
function sleepAfterMs({ settings, options, sleepAfterMs: own = spanMs(options.sleepAfter) }: RunState): number {
  if (settings.sleepAfterMs === undefined) return Infinity;
  return (own === undefined ? settings.sleepAfterMs : own) ?? Infinity;
}
