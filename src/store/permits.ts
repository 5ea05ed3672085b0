import { randomUUID } from 'node:crypto';
import { fail } from '../contract/failure.js';
import type { Changes } from './changes.js';
import type { Permit, Permits } from './store.js';

/** A place whose holder was killed is looked for this often. One given back is noticed as any other change. */
const lookMs = 250;

export interface Place {
  name: string;
  holder: string;
  leaseMs: number;
}

/** What an engine keeps: rows with a lease. */
export interface Places {
  /** Takes a place when fewer than `limit` are held. */
  take(place: Place, limit: number): Promise<boolean>;
  /** Begins the lease anew; takes the place again, beyond the limit if need be, when it was lost: the work does go on, and must count. */
  renew(place: Place): Promise<unknown>;
  giveBack(place: Place): Promise<unknown>;
}

/** In one process who came first goes first; between processes chance decides. */
export class LinedPermits implements Permits {
  readonly #places: Places;
  readonly #changes: Changes;
  readonly #lines = new Map<string, symbol[]>();
  readonly #held = new Set<Permit>();
  readonly #taking = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(places: Places, changes: Changes) {
    this.#places = places;
    this.#changes = changes;
  }

  async acquire(
    name: string,
    limit: number,
    { leaseMs = 15_000, signal }: { leaseMs?: number; signal?: AbortSignal } = {},
  ): Promise<Permit> {
    if (!(limit >= 1)) throw fail('Input.Invalid', `"${name}" allows ${limit} at a time, so nobody would ever go. Allow at least 1.`);
    const me = Symbol(name);
    const line = this.#lines.get(name) ?? [];
    this.#lines.set(name, line);
    line.push(me);
    try {
      for (;;) {
        signal?.throwIfAborted();
        const nap = this.#changes.nap(keyOf(name), lookMs, signal);
        try {
          // Places given back because the store closes are not for those who wait here.
          await this.#closing?.catch(() => undefined);
          const permit = line[0] === me ? await this.#take(name, limit, leaseMs) : undefined;
          if (permit && !signal?.aborted && !this.#closing) return permit;
          if (permit) await permit.release();
          else await nap.over;
        } finally {
          nap.end();
        }
      }
    } finally {
      line.splice(line.indexOf(me), 1);
      if (line.length === 0) this.#lines.delete(name);
      this.#changes.announce(keyOf(name));
    }
  }

  /** Gives back everything held here, then closes what the places are kept in. */
  close(closeRest: () => Promise<void>): Promise<void> {
    return (this.#closing ??= this.#giveAllBack().then(closeRest));
  }

  /** What is just being taken is held when it has been taken, and whoever asked for it does not get it any more. */
  async #giveAllBack(): Promise<void> {
    await Promise.allSettled(this.#taking);
    await Promise.all([...this.#held].map((permit) => permit.release()));
  }

  #take(name: string, limit: number, leaseMs: number): Promise<Permit | undefined> {
    const taking = this.#takePlace({ name, holder: randomUUID(), leaseMs }, limit);
    this.#taking.add(taking);
    return taking.finally(() => this.#taking.delete(taking));
  }

  async #takePlace(place: Place, limit: number): Promise<Permit | undefined> {
    const { name, leaseMs } = place;
    if (!(await this.#places.take(place, limit))) return undefined;
    let renewing: Promise<unknown> | undefined;
    // One that fails is made up for by the next; one that is slow is waited for.
    const renew = (): void => {
      renewing ??= this.#places
        .renew(place)
        .catch(() => undefined)
        .finally(() => (renewing = undefined));
    };
    const renewal = setInterval(renew, leaseMs / 3);
    renewal.unref();

    let released: Promise<void> | undefined;
    const release = async (): Promise<void> => {
      clearInterval(renewal);
      // One that is on its way would take the place again.
      await renewing;
      // A place that cannot be given back now is free when its lease ends.
      await this.#places.giveBack(place).catch(() => undefined);
      this.#held.delete(permit);
      this.#changes.publish(keyOf(name));
    };
    const permit: Permit = { release: () => (released ??= release()) };
    this.#held.add(permit);
    return permit;
  }
}

function keyOf(name: string): string {
  return `permits ${name}`;
}
