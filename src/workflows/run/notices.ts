/**
 * Requests reach people: what is new of them is told outside, in the background. Nobody waits for it but whoever leaves this execution, and
 * then for one attempt; and nothing that happens to it happens to the run.
 */
import { CancellationScope, condition } from '@temporalio/workflow';
import { cutText } from '../../contract/cut-text.js';
import type { NoticeDraft, NoticeOutcome } from '../../contract/notice.js';
import type { RequestView } from '../../contract/request.js';
import { jsonBytes } from '../../contract/size.js';
import { asTold, markTold, markTrying, newsIn, newsOf, triedBefore, type News, type NoticeMark, type Told } from '../../state/notices.js';
import type { RequestState } from '../../state/run-state.js';
import { requestView } from '../../state/views.js';
import { notify } from './activities.js';
import { Alarm } from './alarm.js';
import { now } from './clock.js';
import type { AnyRun } from './run.js';

/** Told by one attempt: so many, and of so many bytes. */
const mostAtOnce = 20;
const mostBytes = 128 * 1024;

/** Characters of a prompt, bytes of a schema or a response: a person gets the rest from the run. */
const longestPrompt = 2048;
const largestMember = 4 * 1024;

const firstPause = 5000;
const longestPause = 3600 * 1000;
const givenUpAfter = 24 * 3600 * 1000;
const soon = 60_000;

export class Notices {
  #isResting = false;
  #sending: Promise<void> | undefined;
  /** Notices that are on their way. */
  readonly #out = new Set<string>();

  constructor(private readonly run: AnyRun) {}

  /** Somebody is told. Of nested runs the one at the top tells. Runs of earlier releases, and where nobody is to be told, have none of this. */
  get isOn(): boolean {
    const { settings, nested } = this.run.state;
    return settings.notifies === true && !nested;
  }

  /** From now on, as long as this execution lasts. */
  begin(): void {
    if (this.isOn) void this.run.scope.run(() => this.#goOn()).catch(() => undefined);
  }

  /** Nothing is on its way any more, and nothing sets out until `resume`. */
  async rest(): Promise<void> {
    this.#isResting = true;
    await this.#sending;
  }

  resume(): void {
    this.#isResting = false;
  }

  /** One attempt at all that there is to tell, before what could tell it ends. Nothing sets out after it until `resume`. */
  async last(leaveOut: (asked: RequestState) => boolean = () => false): Promise<void> {
    const news = newsIn(this.run.state).filter(({ asked, id }) => !leaveOut(asked) && !this.#out.has(id));
    const batches: News[][] = [];
    for (let batch = this.#batchOf(news); batch.length > 0; batch = this.#batchOf(news)) batches.push(news.splice(0, batch.length));
    await Promise.all([this.rest(), ...batches.map((batch) => this.#send(batch))]);
  }

  /** The same at the end of the run: nobody tries again after that. */
  async end(): Promise<void> {
    await this.last();
    for (const news of newsIn(this.run.state)) this.#giveUp(news, 'The run has ended, and nobody has heard.');
  }

  /** When there is something to tell, in milliseconds of the run's clock; `Infinity`: nothing. */
  get nextAt(): number {
    const { unheard, requests } = this.run.state;
    return this.isOn && requests.some(newsOf) ? (unheard?.nextAt ?? now()) : Infinity;
  }

  /** It is not worth falling asleep before. */
  get isSoon(): boolean {
    return this.nextAt <= now() + soon;
  }

  async #goOn(): Promise<void> {
    const alarm = new Alarm();
    try {
      while (this.isOn) {
        const { unheard } = this.run.state;
        alarm.set(unheard?.nextAt ?? Infinity);
        const isDue = () => this.nextAt < Infinity && (alarm.rings || this.nextAt <= now());
        await condition(() => this.run.state.unheard !== unheard || (!this.#isResting && isDue()));
        if (this.run.state.unheard !== unheard) continue;
        const news = newsIn(this.run.state);
        // As long as nobody hears, one is enough to find out.
        this.#sending = this.#send(unheard ? news.slice(0, 1) : this.#batchOf(news));
        await this.#sending;
      }
    } finally {
      alarm.clear();
    }
  }

  #batchOf(news: readonly News[]): News[] {
    let room = mostBytes;
    return news.slice(0, mostAtOnce).filter(({ asked }, i) => (room -= jsonBytes(asked)) > 0 || i === 0);
  }

  /** Never fails. */
  async #send(batch: readonly News[]): Promise<void> {
    const told = batch.map(({ asked }) => asTold(asked));
    for (const { id } of batch) this.#out.add(id);
    const outcomes = await this.#attempt(batch);
    for (const { id } of batch) this.#out.delete(id);
    if (!outcomes) return;
    batch.forEach((news, i) => this.#learn(news, told[i] as Told, outcomes[i] ?? lost));
    this.#backOff(outcomes);
  }

  /** `undefined`: the run was broken off. */
  async #attempt(batch: readonly News[]): Promise<NoticeOutcome[] | undefined> {
    const { state, outbox } = this.run;
    const { pattern, orchestration } = state;
    const at = new Date().toISOString();
    const notices = batch.map((news) => draftOf(news, markTrying(news, at)));
    const about = notices.length === 1 ? `${notices[0]?.type} ${notices[0]?.request.requestId}` : `${notices.length} notices`;
    try {
      const { outcomes } = await outbox.along((base) =>
        notify(about.slice(0, 200))({ ...base, run: { pattern, ...(orchestration !== undefined && { orchestration }) }, notices }),
      );
      return outcomes;
    } catch {
      return CancellationScope.current().consideredCancelled ? undefined : batch.map(() => lost);
    }
  }

  #learn(news: News, told: Told, outcome: NoticeOutcome): void {
    const { asked, id } = news;
    if (outcome.sent) return markTold(news, told);
    const trying = triedBefore(asked, id);
    if (trying && outcome.got) trying.got = outcome.got;
    if (outcome.over === 'run') this.run.state.settings.notifies = false;
    // What took its place in the meantime is tried instead.
    const mayGoOn = !trying || now() - Date.parse(trying.since) < givenUpAfter;
    if (outcome.over === undefined && mayGoOn) return;
    markTold(news, told);
    this.#giveUp(news, outcome.reason);
  }

  #giveUp({ asked: { requestId }, id: noticeId, type: about }: News, reason: string): void {
    this.run.outbox.emit('notice.failed', { noticeId, requestId, about, reason: reason.slice(0, 500) });
  }

  /** Longer each time that nobody was heard of, and as long as the receiver asks for. */
  #backOff(outcomes: readonly NoticeOutcome[]): void {
    const { state } = this.run;
    const failed = outcomes.flatMap((outcome) => (outcome.sent || outcome.over !== undefined ? [] : [outcome]));
    if (failed.length === 0) {
      delete state.unheard;
      return;
    }
    const tries = outcomes.some(({ sent }) => sent) ? 1 : (state.unheard?.tries ?? 0) + 1;
    const pause = Math.min(firstPause * 2 ** Math.min(tries - 1, 20), longestPause);
    const askedFor = Math.min(Math.max(...failed.map(({ afterMs = 0 }) => afterMs)), givenUpAfter);
    state.unheard = { tries, nextAt: now() + Math.max(pause, askedFor) };
  }
}

const lost: NoticeOutcome = { sent: false, reason: 'The attempt was lost with its worker.' };

function draftOf({ asked, id, type }: News, { since: at, got }: NonNullable<NoticeMark['trying']>): NoticeDraft {
  return { id, type, at, request: shortened(requestView(asked)), ...(got && { got }) };
}

function shortened({ prompt, schema, response, ...view }: RequestView): RequestView {
  const isSmall = (value: unknown) => value !== undefined && jsonBytes(value) <= largestMember;
  return {
    ...view,
    prompt: cutText(prompt, longestPrompt),
    ...(isSmall(schema) && { schema }),
    ...(isSmall(response) && { response }),
  } as RequestView;
}
