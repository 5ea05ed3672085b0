/** Waits for the reply to a message: on the event log, and by asking the run whenever the log is silent. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fail } from '../contract/failure.js';
import type { Span } from '../contract/json.js';
import type { TurnStatus } from '../contract/run.js';
import { asFailureType, isSilence } from './call.js';
import type { ClientContext } from './context.js';
import { watchRun } from './watch.js';

/** How something is said. */
export interface SayOptions {
  /** The same id again is the same turn, also after a lost connection. @default a new one */
  id?: string;
  /** How long to wait for the reply; the turn goes on afterwards. @default '10 minutes' */
  timeout?: Span;
  /** Words as they come. */
  onDelta?: (text: string) => void;
}

export interface AwaitedTurn {
  workflowId: string;
  turnId: string;
  /** Where in the log to begin. */
  after: number;
  giveUp: AbortSignal;
  onDelta?: ((text: string) => void) | undefined;
  firstRunId: () => Promise<string>;
  forgetFirstRun: () => void;
  /** What became of it, with the whole reply. */
  told: () => Promise<TurnStatus>;
  ask: () => Promise<TurnStatus>;
}

export async function awaitTurn(context: ClientContext, awaited: AwaitedTurn): Promise<TurnStatus & { reply: string }> {
  const { workflowId, turnId, giveUp } = awaited;
  const onIdle = whenDone(awaited.ask);
  for (let from = awaited.after; ; from = 0) {
    const firstRunId = await awaited.firstRunId();
    const ordinals = new Set<number>();
    for await (const event of watchRun(context, workflowId, firstRunId, { from, signal: giveUp, onIdle })) {
      if (event.nested !== undefined) continue;
      if (event.type === 'turn.started' && event.turnId === turnId && event.turn !== undefined) ordinals.add(event.turn);
      if (event.type === 'delta' && !event.kind && event.turn !== undefined && ordinals.has(event.turn)) awaited.onDelta?.(event.text);
      if ((event.type === 'turn.completed' || event.type === 'turn.failed') && event.turnId === turnId) break;
    }
    const turn = await patiently(awaited.told, giveUp);
    if (turn?.status === 'completed') return { ...turn, reply: turn.reply ?? '' };
    if (turn?.failure) throw fail(asFailureType(turn.failure.type), turn.failure.message, { final: true });
    if (giveUp.aborted) throw fail('Run.TimedOut', `No reply to "${turnId}" yet; the turn goes on. Ask again with the same id.`);
    // A session that was closed and opened again under its id has a log of its own.
    awaited.forgetFirstRun();
    if ((await awaited.firstRunId()) === firstRunId) throw fail('Run.Closed', `The run ended before "${turnId}" was answered.`);
  }
}

/** Who does not answer just now is asked again, as long as there is time. */
async function patiently(ask: () => Promise<TurnStatus>, giveUp: AbortSignal): Promise<TurnStatus | undefined> {
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 2000)) {
    try {
      return await ask();
    } catch (error) {
      if (!isSilence(error)) throw error;
      if (giveUp.aborted) return undefined;
    }
    await sleep(pauseMs);
  }
}

/** Asks the run whether a turn is done: at once, then more and more seldom. */
function whenDone(ask: () => Promise<TurnStatus>): () => Promise<boolean> {
  let pauseMs = 1000;
  let nextAt = 0;
  return async () => {
    if (Date.now() < nextAt) return false;
    pauseMs = Math.min(pauseMs * 2, 15_000);
    nextAt = Date.now() + pauseMs;
    try {
      const { status } = await ask();
      return status === 'completed' || status === 'failed';
    } catch (error) {
      if (isSilence(error)) return false;
      throw error;
    }
  };
}
