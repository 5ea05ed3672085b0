/** How a pattern becomes a workflow: everything that opens a run, and every way in which it ends, is here. */
import { CancellationScope, ContinueAsNew, isCancellation, sleep, TemporalFailure } from '@temporalio/workflow';
import { fail, failureOf } from '../../contract/failure.js';
import type { Json, JsonObject } from '../../contract/json.js';
import { jsonBytes, sizes } from '../../contract/size.js';
import type { RunInput, RunResult } from '../../contract/run.js';
import type { PatternName, PatternOptions } from '../../contract/pattern.js';
import type { Outcome } from '../../contract/snapshot.js';
import { resultOf } from '../../state/views.js';
import { isAuditDue, takeDownLast } from './audit.js';
import { continueIfDue } from './boundary.js';
import { now } from './clock.js';
import { pendingCommands } from './commands.js';
import { judge, nextDeadline, timePassed } from './conditions.js';
import { leaveToJanitor } from './expiry.js';
import { registerHandlers } from './handlers.js';
import { openState, loadRun } from './open.js';
import { abandon } from './operations.js';
import { shapeOutput } from './output.js';
import { reportUp, sendPost } from './post.js';
import { withdrawAll } from './request-list.js';
import { Run, type AnyRun } from './run.js';
import { carryOutLast, saveOutcome } from './snapshots.js';
import { RunStopped } from './stopped.js';
import { closedAs } from './views.js';
import { showEnd } from './visibility.js';

export interface PatternDefinition<Progress extends object, Options extends object = object> {
  /** New messages are welcome while it runs. @default false */
  conversational?: boolean;
  /**
   * As a member of another run: what was said there is heard by everybody, whatever else a turn is not to hear. @default false: a turn
   * with `from` hears none of it
   */
  keepsTask?: boolean;
  /** What the pattern remembers, and how it begins. Plain JSON. */
  progress?: Progress;
  /**
   * Makes the output when the plot returned none, also when the run was ended by a condition or a limit other than of tokens and time:
   * there the plot does not get to its end. It may use all words of a run but those that take turns. @default the last reply
   */
  conclude?: (run: Run<Progress, Options>) => Promise<Json | void>;
  /** The output of a run that was cancelled, or has used up its tokens or time: nobody is asked any more. @default the last reply */
  partial?: (run: Run<Progress, Options>) => Json | void;
}

/** A pattern's plot. What it returns is the run's output; nothing: the last reply. */
export type Plot<Progress extends object, Options extends object> = (run: Run<Progress, Options>) => Promise<Json | void>;

/** Agents among the options have become names of members. */
type OptionsOf<Name extends string> = Name extends PatternName ? PatternOptions<string, string>[Name] : JsonObject;
type InputOf<Name extends string> = Name extends PatternName ? RunInput<Name> : RunInput;

/**
 * A workflow of this name that takes a `RunInput` and gives a `RunResult`. Export it under the same name from the module that the
 * worker is given as `workflowsPath`. Safe in the sandbox only.
 *
 * @example
 * export const duet = definePattern('duet', { progress: { verse: 0 } }, async (run) => {
 *   while (run.progress.verse < 4) {
 *     await run.turn(run.agents[run.progress.verse % 2]!);
 *     run.progress.verse += 1; // Before the checkpoint: there the run may continue as new.
 *     await run.checkpoint();
 *   }
 * });
 */
export function definePattern<Name extends string, Progress extends object = JsonObject>(
  name: Name,
  definition: PatternDefinition<Progress, OptionsOf<Name>>,
  plot: Plot<Progress, OptionsOf<Name>>,
): (input: InputOf<Name>) => Promise<RunResult> {
  const workflow = async (input: unknown): Promise<RunResult> => {
    const { state, refusal } = openState(name, input, definition.progress ?? {});
    const { conversational = false, keepsTask = false, partial } = definition;
    const run: Run<Progress, OptionsOf<Name>> = new Run(state, {
      conversational,
      keepsTask,
      ...(partial && { partial: () => partial(run) }),
    });
    registerHandlers(run as AnyRun);
    try {
      if (refusal) throw refusal;
      const output = await run.scope.run(async () => {
        await loadRun(run as AnyRun, input);
        return await withinTime(run as AnyRun, async () => {
          const told = await once(run as AnyRun, 'told', () => untilStopped(run as AnyRun, () => plot(run)));
          if (run.isAtRest) return undefined;
          const output = await shapeOutput(run as AnyRun, told ?? (await once(run as AnyRun, 'concluded', () => conclude(run))));
          // Whoever asked while the last step was in flight is not too late: the run may be put back.
          if (pendingCommands(run as AnyRun).length > 0) await continueIfDue(run as AnyRun, false);
          return output;
        });
      });
      return run.isAtRest ? rest(run as AnyRun) : await finish(run as AnyRun, output);
    } catch (error) {
      return await endBy(run as AnyRun, error);
    }
  };
  const conclude = async (run: Run<Progress, OptionsOf<Name>>) =>
    run.mayConclude ? await run.epilogue(async () => await definition.conclude?.(run)) : undefined;
  Object.defineProperty(workflow, 'name', { value: name });
  return workflow;
}

/** What was done is not done again when the run continues as new while its output is made. */
async function once(run: AnyRun, part: 'told' | 'concluded', body: () => Promise<Json | void>): Promise<Json | undefined> {
  const done = (run.state.done ??= {});
  if (!(part in done)) done[part] = (await body()) ?? null;
  return done[part] ?? undefined;
}

/** `undefined` when the run was stopped before the plot came to its end. */
async function untilStopped(run: AnyRun, plot: () => Promise<Json | void>): Promise<Json | undefined> {
  try {
    await judge(run);
    if (run.state.turns.length === 0) run.throwIfStopped();
    return (await plot()) ?? undefined;
  } catch (error) {
    if (run.state.stop && error instanceof RunStopped) return undefined;
    throw error;
  }
}

/** Durable deadlines. The limit of time interrupts whatever the run does or waits for; a condition lets the turn in flight end. */
async function withinTime<T>(run: AnyRun, body: () => Promise<T>): Promise<T> {
  const clock = new CancellationScope();
  void clock.run(() => watchTime(run)).catch(() => undefined);
  try {
    return await body();
  } finally {
    clock.cancel();
  }
}

async function watchTime(run: AnyRun): Promise<void> {
  const { limits, startedAt } = run.state;
  const limit = limits.timeMs === undefined ? Infinity : Date.parse(startedAt) + limits.timeMs;
  for (let next = nextDeadline(run) ?? Infinity; Math.min(next, limit) < Infinity; next = nextDeadline(run) ?? Infinity) {
    const at = Math.min(next, limit);
    await sleep(Math.max(at - now(), 1), { summary: at === limit ? 'limit of time' : 'condition of time' });
    if (at === limit) {
      run.stop('stopped', 'limit.time', 'The limit of time was reached.');
      run.scope.cancel();
      return;
    }
    timePassed(run);
  }
}

async function endBy(run: AnyRun, error: unknown): Promise<RunResult> {
  if (error instanceof ContinueAsNew) throw error;
  if (run.state.stop && (error instanceof RunStopped || isCancellation(error))) return await finish(run);
  if (isCancellation(error)) {
    // Temporal's own cancel: the run closes as Canceled, and `status` still tells what it had reached.
    run.stop('cancelled', 'cancelled', 'The workflow was cancelled through Temporal.');
    await finish(run);
    throw error;
  }
  // A bug fails only the workflow task, which is retried until a fixed worker takes it.
  if (!(error instanceof TemporalFailure)) {
    if (!hasJustArrived(run)) throw error;
    return await endBy(run, fail('State.Unreadable', `This run cannot go on from the snapshot it was loaded from: ${String(error)}`));
  }
  const { details, ...failure } = failureOf(error);
  run.failure = failure;
  await close(run, { failure: { ...failure, ...(details && { details }) } }, () => run.outbox.emit('run.failed', { failure }));
  throw error;
}

/** No turn has been taken since it was loaded: what fails now was in the snapshot, and no other worker helps. */
function hasJustArrived({ state }: AnyRun): boolean {
  return state.origin !== undefined && state.lastTurn === state.origin.turn;
}

/** Nothing is awaited any more: what is said now wakes it, or keeps it awake. */
function rest(run: AnyRun): RunResult {
  run.result = resultOf(run.state);
  run.phase = 'closed';
  showEnd(run, closedAs(run));
  return run.result;
}

async function finish(run: AnyRun, told?: Json): Promise<RunResult> {
  // One that could not be woken has nothing to make it of.
  const isKnown = told !== undefined || run.mayConclude || run.state.sleeper !== undefined;
  const partial = isKnown ? undefined : run.pattern.partial?.();
  const output = told === undefined ? (partial ?? undefined) : told;
  if (output !== undefined && jsonBytes(output) > sizes.input) {
    throw fail('Input.TooLarge', `The output of "${run.state.pattern}" is larger than ${sizes.input / 1024} KiB. Return less.`, {
      final: true,
    });
  }
  const result = resultOf(run.state, output);
  run.result = result;
  await close(run, { result }, () => run.outbox.emit('run.finished', { result }));
  return result;
}

async function close(run: AnyRun, outcome: Outcome, announce: () => void): Promise<void> {
  await CancellationScope.nonCancellable(() => carryOutLast(run));
  run.phase = 'closed';
  for (const said of run.state.said) {
    if (said.status === 'completed' || said.status === 'failed') continue;
    Object.assign(said, { status: 'failed', failure: { type: 'Run.Closed', message: 'The run ended before this was answered.' } });
  }
  withdrawAll(run);
  showEnd(run, 'result' in outcome ? outcome.result.status : 'failed');
  announce();
  reportUp(run, { ended: true, usage: run.state.usage });
  await CancellationScope.nonCancellable(async () => {
    for (const operation of run.state.operations) await abandon(run, operation);
    await sendPost(run);
  });
  if (run.notices.isOn) await CancellationScope.nonCancellable(() => run.notices.end());
  if (isAuditDue(run)) await CancellationScope.nonCancellable(() => takeDownLast(run));
  await CancellationScope.nonCancellable(() => leaveToJanitor(run));
  await saveOutcome(run, outcome);
  await run.outbox.flush();
}
