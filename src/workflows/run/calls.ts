/**
 * The calls of a reply that are the run's own to carry out. Those that may be run are, side by side; those that wait for a person are asked
 * for all at once, and each goes on as soon as it is decided.
 */
import { condition } from '@temporalio/workflow';
import type { JsonObject } from '../../contract/json.js';
import type { OpenTurn, ToolRound } from '../../state/run-state.js';
import { Alarm } from './alarm.js';
import { reasonNotToAsk, superseded, type Step, type Waiting } from './asking.js';
import { now } from './clock.js';
import { isTurnFailure } from './failed-turn.js';
import { dueAt, passTime } from './patience.js';
import { sendPost } from './post.js';
import { isOpen, take, withdrawOne } from './request-list.js';
import { answerOf } from './requests.js';
import type { AnyRun } from './run.js';
import { runTool, type OpenCall } from './tool-call.js';
import { lostCall } from './unknown-outcome.js';
import { until } from './until.js';
import { showDetails } from './visibility.js';

export class Calls {
  readonly #waiting = new Map<OpenCall, Waiting>();
  #running = 0;
  /** Some have come back since it was looked last. */
  #isNews = false;
  /** Nothing can go on: a cancellation, or a bug. */
  #broken: { error: unknown } | undefined;
  /** The turn has failed. What runs already is waited for. */
  #failed: { error: unknown } | undefined;

  constructor(
    private readonly run: AnyRun,
    private readonly turn: OpenTurn,
    private readonly round: ToolRound,
  ) {}

  /** Returns when all of them have come to their outcome. */
  async finish(first: readonly [OpenCall, Step][]): Promise<void> {
    for (const [call, step] of first) this.#take(call, step);
    for (;;) {
      if (this.#broken) throw this.#broken.error;
      this.#decide();
      if (this.#running > 0) await this.#whileRunning();
      else if (this.#waiting.size > 0) await this.#whileWaiting();
      else break;
    }
    if (this.#failed) throw this.#failed.error;
  }

  #take(call: OpenCall, step: Step): void {
    if ('outcome' in step) this.round.outcomes[call.index] = step.outcome;
    else if ('waits' in step) this.#waiting.set(call, step.waits);
    else this.#start(call, step.runs.edited);
  }

  #start(call: OpenCall, edited: JsonObject | undefined): void {
    const { run, turn, round } = this;
    this.#running += 1;
    const back = () => {
      this.#running -= 1;
      this.#isNews = true;
    };
    void runTool(run, turn, round.reply, call, edited).then(
      (outcome) => {
        back();
        this.#take(call, 'lost' in outcome ? lostCall(run, turn, round, call, { reason: outcome.lost, edited }) : { outcome });
      },
      (error: unknown) => {
        back();
        this.#broken ??= { error };
      },
    );
  }

  /** Answers first, then time, then what puts an end to all asking. */
  #decide(): void {
    this.#isNews = false;
    for (const [call, { asked, patience, after, withdrawn }] of this.#waiting) {
      this.#orFail(() => {
        if (isOpen(asked) && dueAt(asked) <= now()) passTime(this.run, asked, patience);
        if (isOpen(asked)) return;
        this.#waiting.delete(call);
        take(this.run, asked);
        if (asked.status === 'withdrawn') this.turn.superseded = true;
        this.#take(call, asked.status === 'withdrawn' ? { outcome: withdrawn(superseded) } : after(answerOf(asked, patience)));
      });
    }
    const reason = this.#failed ? 'the turn has failed' : reasonNotToAsk(this.run, this.turn);
    if (reason === undefined) return;
    for (const [call, { asked, withdrawn }] of this.#waiting) {
      if (isOpen(asked)) withdrawOne(this.run, asked, reason);
      take(this.run, asked);
      this.#take(call, { outcome: withdrawn(reason) });
    }
    this.#waiting.clear();
  }

  #orFail(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!isTurnFailure(error)) throw error;
      this.#failed ??= { error };
    }
  }

  /** Where tools run, the run must not continue as new: this is no wait of that kind. What others are told must reach them all the same. */
  async #whileRunning(): Promise<void> {
    const { run } = this;
    const isAsking = () => this.#waiting.size > 0;
    const mustSend = () => run.state.post.length > 0 && (run.state.operations.length > 0 || isAsking());
    const mustTell = () => run.outbox.isWaiting && isAsking();
    const alarm = new Alarm();
    alarm.set(this.#dueAt);
    try {
      await condition(() => this.#isNews || this.#isDecided || alarm.rings || mustSend() || mustTell());
    } finally {
      alarm.clear();
    }
    if (run.state.operations.length > 0 || isAsking()) await sendPost(run);
    if (mustTell()) await run.outbox.flush();
  }

  /** The one wait of this turn, for whichever is decided first. */
  async #whileWaiting(): Promise<void> {
    const { run, turn } = this;
    const ids = [...this.#waiting.values()].map(({ asked }) => asked.requestId);
    showDetails(run, `waits for a person: ${ids.slice(0, 5).join(', ')} of ${turn.agent}`);
    const isAlone = run.traffic.taking === 1 && run.phase === 'running';
    if (isAlone) run.phase = 'waiting';
    try {
      await until(run, () => this.#isDecided, { turn, deadline: this.#dueAt, throughStop: true });
    } finally {
      if (isAlone && run.phase === 'waiting') run.phase = 'running';
    }
  }

  get #isDecided(): boolean {
    if (this.#waiting.size === 0) return false;
    return reasonNotToAsk(this.run, this.turn) !== undefined || [...this.#waiting.values()].some(({ asked }) => !isOpen(asked));
  }

  get #dueAt(): number {
    return Math.min(Infinity, ...[...this.#waiting.values()].map(({ asked }) => dueAt(asked)));
  }
}
