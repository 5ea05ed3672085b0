/** Goes along with a run to its end: calls back with what is said and what is asked, and takes the answers there. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import type { RunEvent } from '../contract/event.js';
import { failureOf } from '../contract/failure.js';
import type { Json } from '../contract/json.js';
import type { RequestView } from '../contract/request.js';
import { isSilence } from './call.js';
import { completeMessage, type CompleteMessage } from './callbacks.js';
import type { ClientContext } from './context.js';
import { Questions } from './questions.js';
import type { RunHandle } from './run-handle.js';
import { Seldom } from './seldom.js';

/** How somebody goes along with a run. */
export interface Interaction {
  /**
   * Hears every complete message of an agent, in order, one after another, those from before included. What nested runs say among themselves
   * is not heard.
   */
  onMessage?: (message: CompleteMessage) => void | Promise<void>;
  /**
   * Is asked every request that waits, those from before and those of nested runs included, each once; several may be asked at the same
   * time. What it returns is the answer; nothing: it is left to somebody else.
   */
  onRequest: (request: RequestView, asked: AskedRequest) => Json | undefined | void | Promise<Json | undefined | void>;
  /** Who answers. Requests that are for others alone are not asked then. */
  by?: string;
  /** Ends the interaction, not the run; the promise is rejected with its reason. */
  signal?: AbortSignal;
  /** What a callback has thrown; the rest goes on. @default the interaction is rejected with it */
  onError?: (error: unknown) => void;
}

/** What there is to know about the asking. */
export interface AskedRequest {
  /** Why the last answer was not taken. */
  problem?: string;
  /** Aborted when nobody waits for the answer any more: somebody else gave it, its time is over, the run has ended. */
  signal: AbortSignal;
}

/** What it takes of a run. */
export type Interactive = Pick<RunHandle, 'watch' | 'requests' | 'respond' | 'lastSeq'>;

/** A callback that never learns is not asked for ever. */
const mostRefusals = 20;

/** Returns when the run has ended. */
export async function interact(
  context: ClientContext,
  run: Interactive,
  { onMessage, onRequest, by, signal, onError }: Interaction,
): Promise<void> {
  const broken = new AbortController();
  const over = signal ? AbortSignal.any([signal, broken.signal]) : broken.signal;
  const report = onError ?? ((error: unknown) => broken.abort(error));
  const questions = new Questions({
    list: () => run.requests(),
    end: () => run.lastSeq(),
    by,
    put: (request, asked) => {
      answer(run, request, { onRequest, signal: asked, ...(by !== undefined && { by }) }).catch((error: unknown) => {
        if (!asked.aborted) report(error);
      });
    },
  });
  const look = async () => {
    await questions.look().catch((error: unknown) => {
      if (!isPassing(error)) throw error;
    });
  };
  let seq = 0;
  const onIdle = async () => {
    // Whatever should have come before those that were found earlier will not come any more.
    questions.reach(Infinity);
    if (silence.isDue) await look();
    questions.reach(seq);
    return false;
  };
  // Whoever answers has first heard what was said before.
  const old = await run.lastSeq().catch(() => 0);
  const silence = new Seldom(1000, 60_000);
  try {
    for await (const event of run.watch({ signal: over, onIdle })) {
      silence.reset();
      seq = event.seq;
      const message = onMessage && (await completeMessage(context, event));
      if (message) await callOut(() => onMessage(message), report);
      if (event.seq === old || (event.seq > old && concernsRequests(event))) await look();
      questions.reach(event.seq);
    }
  } finally {
    questions.close();
  }
  over.throwIfAborted();
}

/** Could one that waits have come, or gone? A nested run's is known at the top a moment after it was told. */
export function concernsRequests({ type }: RunEvent): boolean {
  return type.startsWith('request.') || type === 'nested.ended' || type === 'run.woken' || type === 'run.rolledBack';
}

interface Answering extends Pick<Interaction, 'onRequest' | 'by'> {
  signal: AbortSignal;
}

/** @throws what the callback throws, and an answer's refusal that asking again would not help */
async function answer(run: Interactive, request: RequestView, { onRequest, by, signal }: Answering): Promise<void> {
  let problem: string | undefined;
  for (let refusals = 0; !signal.aborted;) {
    const response = await onRequest(request, { signal, ...(problem !== undefined && { problem }) });
    if (response === undefined) return;
    try {
      return await give(run, request.requestId, response, { signal, ...(by !== undefined && { by }) });
    } catch (error) {
      const { type, message } = failureOf(error);
      if (isTooLate(type)) return;
      refusals += 1;
      if (type !== 'Input.Invalid' || refusals === mostRefusals) throw error;
      problem = message;
    }
  }
}

/** Nobody waits for this answer any more. */
export function isTooLate(type: string): boolean {
  return type === 'Request.NotPending' || type === 'Run.Closed' || type === 'Run.NotFound';
}

/** The same answer may be given again: so it is, while nobody can be reached. */
export async function give(
  run: Pick<Interactive, 'respond'>,
  requestId: string,
  response: Json,
  { signal, ...who }: { by?: string; signal: AbortSignal },
): Promise<void> {
  for (let pauseMs = 200; !signal.aborted; pauseMs = Math.min(pauseMs * 2, 10_000)) {
    try {
      await run.respond(requestId, response, who);
      return;
    } catch (error) {
      if (!isSilence(error)) throw error;
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** It says nothing about the run: asked again later, it will answer. */
export function isPassing(error: unknown): boolean {
  return isSilence(error) || isGrpcServiceError(error) || isGrpcServiceError((error as { cause?: unknown } | null)?.cause);
}

async function callOut(call: () => void | Promise<void>, report: (error: unknown) => void): Promise<void> {
  try {
    await call();
  } catch (error) {
    report(error);
  }
}
