/** Another process's writes are noticed within this time. A look costs microseconds. */
const pollMs = 25;
/** Waking everybody costs each of them a look of its own: many who wait are woken less often. */
const pollMsPerNap = 0.2;
/** A longer timer would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** A wait for a change, begun before it is known whether to wait at all: so no change falls between looking and waiting. */
export interface Nap {
  over: Promise<void>;
  end(): void;
}

/** Wakes those who wait for a change: at once when it is made here, by polling when another process makes it. */
export class Changes {
  readonly #changedElsewhere: () => boolean;
  readonly #naps = new Map<string, Set<() => void>>();
  #count = 0;
  #pauseMs = pollMs;
  #poll: NodeJS.Timeout | undefined;

  constructor(changedElsewhere: () => boolean) {
    this.#changedElsewhere = changedElsewhere;
  }

  /** Over when `key` was announced, when anything was changed elsewhere, after `ms`, or when aborted. */
  nap(key: string, ms: number, signal?: AbortSignal): Nap {
    let end = (): void => undefined;
    const over = new Promise<void>((resolve) => {
      const timer = setTimeout(() => end(), Math.min(ms, longestTimerMs));
      end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        this.#forget(key, end);
        resolve();
      };
      signal?.addEventListener('abort', end);
      this.#remember(key, end);
    });
    return { over, end };
  }

  announce(key: string): void {
    for (const end of [...(this.#naps.get(key) ?? [])]) end();
  }

  announceAll(): void {
    for (const key of [...this.#naps.keys()]) this.announce(key);
  }

  #remember(key: string, end: () => void): void {
    const naps = this.#naps.get(key) ?? new Set();
    this.#naps.set(key, naps.add(end));
    this.#count += 1;
    if (this.#poll) return;
    // Changes up to here are seen by whoever naps, who reads next; later ones by the poll.
    this.#look();
    this.#pollLater();
  }

  #forget(key: string, end: () => void): void {
    const naps = this.#naps.get(key);
    if (!naps?.delete(end)) return;
    this.#count -= 1;
    if (naps.size === 0) this.#naps.delete(key);
    if (this.#count > 0) return;
    clearTimeout(this.#poll);
    this.#poll = undefined;
  }

  #pollLater(): void {
    this.#poll = setTimeout(() => {
      this.#pauseMs = Math.max(pollMs, this.#count * pollMsPerNap);
      this.#pollLater();
      if (this.#look()) this.announceAll();
    }, this.#pauseMs);
    // Whoever naps has a timer that keeps the process alive.
    this.#poll.unref();
  }

  #look(): boolean {
    try {
      return this.#changedElsewhere();
    } catch {
      // Let those who wait look for themselves: they try with patience, and fail with a reason.
      return true;
    }
  }
}
