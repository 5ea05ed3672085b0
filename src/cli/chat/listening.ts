/** Listens to a run while a person reads or types: what it says is kept until it can be shown, and what it asks until it is answered. */
import type { RunHandle } from '../../client.js';
import { concernsRequests, isPassing } from '../../client/interact.js';
import { Questions } from '../../client/questions.js';
import { Seldom } from '../../client/seldom.js';
import type { RunEvent } from '../../contract/event.js';
import type { RequestView } from '../../contract/request.js';
import type { RunStatus } from '../../contract/run.js';
import { noUsage } from '../../contract/transcript.js';

export interface OpenRequest {
  request: RequestView;
  /** Aborted when it waits no more. */
  signal: AbortSignal;
}

export interface ListeningOptions {
  run: RunHandle;
  /** Only what comes after this `seq`. */
  after: number;
  by: string | undefined;
  /** It stays open and takes messages: it is at work when it was told something. Any other run is, until it ends or waits. */
  isSession: boolean;
  /** Something is there to be shown or asked, or the run has ended. */
  onNews: () => void;
  signal: AbortSignal;
}

export class Listening {
  readonly run: RunHandle;
  /** Requests that may be answered here. */
  readonly open = new Set<OpenRequest>();
  /** The run has ended, and all of it was told. */
  isOver = false;
  readonly #stopping = new AbortController();
  readonly #signal: AbortSignal;
  readonly #questions: Questions;
  readonly #silence = new Seldom(1000, 30_000);
  #events: RunEvent[] = [];
  /** Messages whose turns have not ended; `true`: said here. */
  readonly #unanswered = new Map<string, boolean>();
  /** Nothing happens until somebody does something. */
  #isQuiet = false;
  #failure: Error | undefined;
  /** Of the last event. */
  #seq: number;

  constructor(private readonly options: ListeningOptions) {
    const { run, by, signal } = options;
    this.run = run;
    this.#seq = options.after;
    this.#signal = AbortSignal.any([this.#stopping.signal, signal]);
    this.#questions = new Questions({
      list: () => run.requests(),
      end: () => run.lastSeq(),
      by,
      put: (request, signal) => this.#put(request, signal),
    });
    void this.#follow();
  }

  get isAtWork(): boolean {
    if (this.isOver || this.#isQuiet) return false;
    return !this.options.isSession || this.#unanswered.size > 0;
  }

  /** Events since the last time. @throws what has broken the listening */
  take(): RunEvent[] {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#events.splice(0);
  }

  get hasNews(): boolean {
    return this.#events.length > 0 || this.#failure !== undefined;
  }

  /** Something was said to it here. */
  expect(turnId: string): void {
    this.#unanswered.set(turnId, true);
    this.#wake();
  }

  /** Turns that were in flight before. */
  begin({ turns, inbox }: RunStatus): void {
    for (const { id } of turns) this.#unanswered.set(id, false);
    if (inbox > 0) this.#unanswered.set('', false);
  }

  /** It was answered, and is not asked again. */
  settle(request: OpenRequest): void {
    this.open.delete(request);
    this.#wake();
  }

  stop(): void {
    this.#stopping.abort();
    this.#questions.close();
  }

  #wake(): void {
    this.#isQuiet = false;
    this.#silence.reset();
  }

  async #follow(): Promise<void> {
    const { run, after, onNews } = this.options;
    try {
      // What is asked comes behind what has led to it.
      const old = await run.lastSeq().catch(() => 0);
      if (old <= after) await this.#look();
      this.#questions.reach(after);
      onNews();
      for await (const event of run.watch({ from: after, signal: this.#signal, onIdle: async () => await this.#onSilence() })) {
        this.#hear(event);
        if (event.seq === old || (event.seq > old && concernsRequests(event))) await this.#look();
        this.#questions.reach(this.#seq);
        onNews();
      }
    } catch (error) {
      this.#failure = error as Error;
    }
    if (this.#signal.aborted) return;
    this.isOver = true;
    this.#questions.close();
    onNews();
  }

  #hear(event: RunEvent): void {
    this.#wake();
    this.#seq = event.seq;
    this.#events.push(event);
    if (event.nested !== undefined) return;
    if (event.type === 'message.received' && event.messageId !== undefined)
      this.#unanswered.set(event.messageId, this.#isOwn(event.messageId));
    if (event.type === 'turn.started') this.#unanswered.set(event.turnId, this.#isOwn(event.turnId));
    if (event.type === 'turn.completed' || event.type === 'turn.failed') this.#unanswered.delete(event.turnId);
  }

  #isOwn(id: string): boolean {
    return this.#unanswered.get(id) ?? false;
  }

  #put(request: RequestView, signal: AbortSignal): void {
    const open = { request, signal };
    this.open.add(open);
    signal.addEventListener('abort', () => this.open.delete(open), { once: true });
  }

  async #look(): Promise<void> {
    await this.#questions.look().catch((error: unknown) => {
      if (!isPassing(error)) throw error;
    });
  }

  async #onSilence(): Promise<boolean> {
    const before = this.#summary;
    // Whatever should have come before those that were found earlier will not come any more.
    this.#questions.reach(Infinity);
    if (this.#silence.isDue) await this.#askRun();
    if (this.#summary !== before) this.options.onNews();
    return false;
  }

  /** The log says nothing: what the run itself knows counts. */
  async #askRun(): Promise<void> {
    try {
      await this.#look();
      this.#questions.reach(this.#seq);
      const status = await this.run.status();
      this.#isQuiet = status.status === 'waiting' || status.status === 'asleep' || status.requests.length > 0;
      if (status.turns.length === 0 && status.inbox === 0) await this.#takeReplies(status);
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
  }

  get #summary(): string {
    return [this.#events.length, this.#isQuiet, this.isAtWork, ...[...this.open].map(({ request }) => request.requestId)].join();
  }

  /** Replies of which the log has not told. */
  async #takeReplies({ agents: [agent = ''], runId }: RunStatus): Promise<void> {
    for (const [turnId, isOwn] of this.#unanswered) {
      const turn = isOwn ? await this.run.turn(turnId) : undefined;
      if (turn?.status === 'queued' || turn?.status === 'running') continue;
      this.#unanswered.delete(turnId);
      const tags = { turn: 0, turnId, agent, at: new Date().toISOString(), seq: 0, epoch: 0, runId };
      if (turn?.reply !== undefined) this.#events.push({ type: 'turn.completed', text: turn.reply, usage: noUsage, ...tags });
      if (turn?.failure) this.#events.push({ type: 'turn.failed', failure: turn.failure, ...tags });
    }
  }
}
