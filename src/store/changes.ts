import type { EventLogKey } from '../contract/event.js';

/** A longer timer would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** A wait for a change, begun before it is known whether to wait at all: so no change falls between looking and waiting. */
export interface Nap {
  over: Promise<void>;
  end(): void;
}

/** How an engine learns what other processes write. */
export interface Elsewhere {
  /** Has another process written since this was last asked? First asked before somebody begins to wait. */
  changed(): boolean;
  /** How long until it is asked again. Waking everybody costs each of them a look of its own: many who wait are woken less often. */
  pauseMs(naps: number): number;
  /** Short names for what was changed, where other processes are told of it. */
  nameOf?(key: string): string;
  tell?(name: string): void;
}

/** Wakes those who wait for a change: at once when it is announced here, by polling when another process makes it. */
export class Changes {
  readonly #elsewhere: Elsewhere;
  readonly #naps = new Map<string, Set<() => void>>();
  #count = 0;
  #poll: NodeJS.Timeout | undefined;

  constructor(elsewhere: Elsewhere) {
    this.#elsewhere = elsewhere;
  }

  /** Over when `key` was announced, when anything was changed elsewhere, after `ms`, or when aborted. */
  nap(key: string, ms: number, signal?: AbortSignal): Nap {
    const name = this.#nameOf(key);
    let end = (): void => undefined;
    const over = new Promise<void>((resolve) => {
      const timer = setTimeout(() => end(), Math.min(ms, longestTimerMs));
      end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        this.#forget(name, end);
        resolve();
      };
      signal?.addEventListener('abort', end);
      this.#remember(name, end);
    });
    return { over, end };
  }

  /** Tries until `attempt` returns something, napping in between: until `ms` have passed, then returns what the last one did. */
  async until<T>(key: string, ms: number, signal: AbortSignal | undefined, attempt: () => Promise<T | undefined>): Promise<T | undefined> {
    const until = performance.now() + ms;
    for (;;) {
      signal?.throwIfAborted();
      const leftMs = until - performance.now();
      const nap = leftMs > 0 ? this.nap(key, leftMs, signal) : undefined;
      try {
        const found = await attempt();
        if (found !== undefined || nap === undefined) return found;
        await nap.over;
      } finally {
        nap?.end();
      }
    }
  }

  /** Wakes those who wait here. */
  announce(key: string): void {
    this.hear(this.#nameOf(key));
  }

  /** Wakes those who wait here or in another process. */
  publish(key: string): void {
    this.announce(key);
    this.#elsewhere.tell?.(this.#nameOf(key));
  }

  /** Wakes those who wait here for what has this name. */
  hear(name: string): void {
    for (const end of [...(this.#naps.get(name) ?? [])]) end();
  }

  announceAll(): void {
    for (const name of [...this.#naps.keys()]) this.hear(name);
  }

  #nameOf(key: string): string {
    return this.#elsewhere.nameOf?.(key) ?? key;
  }

  #remember(name: string, end: () => void): void {
    const naps = this.#naps.get(name) ?? new Set();
    this.#naps.set(name, naps.add(end));
    this.#count += 1;
    if (this.#poll) return;
    // Changes up to here are seen by whoever naps, who reads next; later ones by the poll.
    this.#look();
    this.#pollLater();
  }

  #forget(name: string, end: () => void): void {
    const naps = this.#naps.get(name);
    if (!naps?.delete(end)) return;
    this.#count -= 1;
    if (naps.size === 0) this.#naps.delete(name);
    if (this.#count > 0) return;
    clearTimeout(this.#poll);
    this.#poll = undefined;
  }

  #pollLater(): void {
    this.#poll = setTimeout(() => {
      this.#pollLater();
      if (this.#look()) this.announceAll();
    }, this.#elsewhere.pauseMs(this.#count));
    // Whoever naps has a timer that keeps the process alive.
    this.#poll.unref();
  }

  #look(): boolean {
    try {
      return this.#elsewhere.changed();
    } catch {
      // Let those who wait look for themselves: they try with patience, and fail with a reason.
      return true;
    }
  }
}

/** What an append to this log announces. */
export function eventsKey({ workflowId, firstRunId }: EventLogKey): string {
  return `events ${firstRunId} ${workflowId}`;
}
