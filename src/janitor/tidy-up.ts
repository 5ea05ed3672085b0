/** One round of the janitor: everything on its list that is due. What fails is put off, and keeps nobody else waiting. */
import type { Deletion, JanitorStatus } from '../contract/deletion.js';
import { fail, failureOf } from '../contract/failure.js';
import type { ClientContext } from '../client/context.js';
import { markAndSweep } from './collect.js';
import { isThere } from './executions.js';
import { proofOf, remainsOf, remove, textsOf, type Remains } from './removal.js';

/** In milliseconds. */
export interface JanitorTimes {
  /** How long texts that nothing refers to are left alone. */
  graceMs: number;
  /** When there is nothing due for longer than this, it looks nevertheless. */
  periodMs: number;
}

export interface Round extends Pick<JanitorStatus, 'done' | 'failing' | 'unreadable'> {
  /** Entries on the list. */
  count: number;
  /** Ids of all that were due. */
  seen: string[];
  next?: string;
  /** How long to wait for the next round; absent: there is nothing left to do. */
  pauseMs?: number;
}

const minute = 60_000;
const day = 24 * 60 * minute;
const longestBackOffMs = day;
/** Of those that want their texts to go now: time enough for Temporal to list what has just begun. */
const quietMs = 10_000;
/** Temporal takes up to a minute to delete what has just ended. */
const lookMs = 5000;
/** The store's clock may be behind by a little. */
const marginMs = 1000;
/** What became of one that was asked for can be asked for so long. */
const keptMs = 7 * day;
const atOnce = 100;

export class TidyUp {
  readonly #began = performance.now();
  readonly #done: Round['done'] = [];
  readonly #failing: Round['failing'] = [];

  constructor(
    private readonly context: ClientContext,
    private readonly nowMs: number,
    private readonly times: JanitorTimes,
    /** Says that it is still at work. */
    private readonly beat: () => void,
  ) {}

  /** Safe to repeat, at any moment: each entry says how far it is, and each step may be done twice. */
  async round(): Promise<Round> {
    const { deletions: list } = this.context.store;
    const { deletions, unreadable } = await list.due(this.nowMs, atOnce);
    const texts: Deletion[] = [];
    for (const deletion of deletions) {
      this.beat();
      await this.#trying([deletion], async () => {
        if (deletion.status === 'done') await list.remove(deletion);
        else if (deletion.status === 'doomed') texts.push(deletion);
        else texts.push(...(await this.#removed(deletion)));
      });
    }
    if (texts.length > 0) await this.#trying(texts, () => this.#collect(texts));
    const { count, nextMs } = await list.outlook(this.nowMs);
    const pauseMs =
      deletions.length === atOnce ? marginMs : Math.min(this.times.periodMs, Math.max((nextMs ?? Infinity) - this.#now, marginMs));
    return {
      count,
      unreadable,
      seen: deletions.map(({ workflowId }) => workflowId),
      done: this.#done,
      failing: this.#failing,
      ...(nextMs !== undefined && { next: iso(nextMs) }),
      ...(count > 0 && { pauseMs }),
    };
  }

  /** Returns it when its texts are next: as long as Temporal still knows an execution, that refers to them. */
  async #removed(deletion: Deletion): Promise<Deletion[]> {
    const [gone] = deletion.status === 'removed' ? [deletion] : await this.#remove(deletion);
    for (const execution of gone?.executions ?? []) {
      if (!(await isThere(this.context, execution))) continue;
      await this.context.store.deletions.save({ ...gone!, dueAt: iso(this.#now + Math.min(lookMs, this.times.graceMs)) });
      return [];
    }
    return gone ? [gone] : [];
  }

  async #remove(deletion: Deletion): Promise<Deletion[]> {
    const { context, beat } = this;
    const { deletions } = context.store;
    const remains = await remainsOf(context, deletion);
    const open = remains.executions.find(({ isOpen }) => isOpen);
    if (open) throw fail('Run.Open', `"${open.workflowId}" is open. It is deleted when it has ended.`);
    if (!(await deletions.begin(deletion, this.nowMs))) return [];
    // Asked before anything is gone, and written down: afterwards nobody could tell.
    const known = (await deletions.get(deletion)) ?? deletion;
    const begun = known.chains === undefined ? await this.#written(known, remains) : known;
    const events = await remove(context, remains, beat);
    const { found, ...rest } = settled(begun);
    const { removed, executions = [] } = rest;
    const counts = {
      executions: executions.length,
      // Somebody who was lost may have removed a part of it.
      snapshots: removed.snapshots + Math.max(remains.snapshots.length, found?.snapshots ?? 0),
      events: removed.events + Math.max(events, found?.events ?? 0),
    };
    const gone: Deletion = { ...rest, status: 'removed', dueAt: iso(this.nowMs), removed: { ...removed, ...counts } };
    await deletions.save(gone);
    return [gone];
  }

  async #written(deletion: Deletion, remains: Remains): Promise<Deletion> {
    const { context, beat } = this;
    const told = deletion.reason === 'asked' ? await textsOf(context, remains, beat) : undefined;
    let events = 0;
    for (const chain of remains.chains) events += await context.store.events.end(chain);
    const begun: Deletion = {
      ...deletion,
      status: 'begun',
      found: { snapshots: remains.snapshots.length, events },
      chains: remains.chains,
      executions: remains.executions.map(({ workflowId, runId }) => ({ workflowId, runId })),
      ...(told && { texts: told.texts, textBytes: told.bytes }),
    };
    await context.store.deletions.save(begun);
    return begun;
  }

  /** What only these referred to is doomed the first time, and gone the second. */
  async #collect(waiting: readonly Deletion[]): Promise<void> {
    const { context, beat } = this;
    const { graceMs } = this.times;
    const quietGraceMs = waiting.some(({ now }) => now) ? Math.min(quietMs, graceMs) : graceMs;
    const { busy } = await markAndSweep(context, { graceMs, quietGraceMs, beat });
    await context.store.scrub();
    const now = this.#now;
    for (const deletion of waiting) {
      const isQuick = deletion.now === true && busy === 0;
      const wait = deletion.now ? Math.min(quietMs, graceMs) : graceMs;
      const since = deletion.doomedAt === undefined ? undefined : Date.parse(deletion.doomedAt);
      if (since !== undefined && this.nowMs - since >= (isQuick ? wait : graceMs)) await this.#finish(deletion);
      else
        await context.store.deletions.save({
          ...settled(deletion),
          status: 'doomed',
          doomedAt: iso(since ?? now),
          dueAt: iso(Math.max((since ?? now) + wait, since === undefined ? 0 : now + Math.min(minute, graceMs)) + marginMs),
        });
    }
  }

  async #finish(deletion: Deletion): Promise<void> {
    const { deletions } = this.context.store;
    const { bytes, ...proof } = await proofOf(this.context, deletion, this.#now);
    const { executions, snapshots, events } = proof;
    if (executions + snapshots + events > 0) {
      // Temporal takes its time, or something was still at work and has written: once more.
      const { doomedAt: _, ...again } = settled(deletion);
      return await deletions.save({ ...again, status: 'begun', dueAt: iso(this.#now + marginMs) });
    }
    const { texts = [], textBytes = 0 } = deletion;
    const removed = { ...deletion.removed, texts: texts.length - proof.texts, bytes: textBytes - bytes };
    this.#done.push({ workflowId: deletion.workflowId, reason: deletion.reason, at: proof.at, removed });
    if (deletion.reason === 'expired') return await deletions.remove(deletion);
    const { texts: __, chains: ___, executions: ____, ...rest } = settled(deletion);
    await deletions.save({ ...rest, status: 'done', removed, proof, dueAt: iso(this.#now + keptMs) });
  }

  async #trying(deletions: readonly Deletion[], work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { type, message } = failureOf(error);
      const failure = { type, message: message.slice(0, 1000) };
      for (const deletion of deletions) {
        const attempts = (deletion.attempts ?? 0) + 1;
        const next = iso(this.#now + Math.min(minute * 4 ** (attempts - 1), longestBackOffMs));
        const before = await this.context.store.deletions.get(deletion);
        if (!before) continue;
        // One that has not begun may still be taken off the list.
        const put = { ...before, failure, attempts, dueAt: next };
        if (before.status === 'scheduled') await this.context.store.deletions.schedule(put);
        else await this.context.store.deletions.save(put);
        this.#failing.push({ workflowId: deletion.workflowId, attempts, failure, next });
      }
    }
  }

  /** By the server's clock, which may be another than this machine's. */
  get #now(): number {
    return this.nowMs + (performance.now() - this.#began);
  }
}

/** What had kept it is over. */
function settled({ failure: _, attempts: __, ...deletion }: Deletion): Deletion {
  return deletion;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
