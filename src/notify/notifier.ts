/** Tells people of requests: by a function of the application, by a webhook, or by both. */
import type { Notice, NoticeChannel, NoticeOutcome } from '../contract/notice.js';
import type { RequestView } from '../contract/request.js';
import type { NotifyFunction } from '../functions/define-function.js';
import { answerTo, type AnswerPlace } from './answer.js';
import { callWithin } from './function.js';
import { postNotice, type Webhook } from './webhook.js';

export interface Notifier {
  readonly channels: readonly NoticeChannel[];
  /** One attempt at those who have not got it. Never throws, and takes no longer than ten seconds. */
  send(notice: Notice, options: { got: readonly NoticeChannel[]; signal: AbortSignal }): Promise<NoticeOutcome>;
  /** How a request is answered. */
  answerTo(runId: string, request: Pick<RequestView, 'requestId' | 'assignee'>): NonNullable<Notice['answer']>;
}

export interface NotifierOptions {
  function?: NotifyFunction | undefined;
  webhook?: Webhook | undefined;
  place: AnswerPlace;
}

type Send = (notice: Notice, signal: AbortSignal) => Promise<NoticeOutcome>;

/** `undefined` when nobody is to be told. */
export function createNotifier({ function: call, webhook, place }: NotifierOptions): Notifier | undefined {
  const ways = new Map<NoticeChannel, Send>();
  if (call) ways.set('function', (notice, signal) => callWithin(call, notice, signal));
  if (webhook) ways.set('webhook', (notice, signal) => postNotice(webhook, notice, signal));
  if (ways.size === 0) return undefined;
  return {
    channels: [...ways.keys()],
    answerTo: (runId, request) => answerTo(place, runId, request),
    async send(notice, { got, signal }) {
      const open = [...ways].filter(([channel]) => !got.includes(channel));
      const outcomes = await Promise.all(open.map(async ([channel, send]) => [channel, await send(notice, signal)] as const));
      return together(got, outcomes);
    },
  };
}

/** It is tried again as long as that is of use to anybody, and leaves out who has got it, or never will. */
function together(got: readonly NoticeChannel[], outcomes: readonly (readonly [NoticeChannel, NoticeOutcome])[]): NoticeOutcome {
  const failed = outcomes.flatMap(([, outcome]) => (outcome.sent ? [] : [outcome]));
  const again = failed.filter(({ over }) => over === undefined);
  const reason = failed.map((outcome) => outcome.reason).join(' ');
  const isSent = got.length > 0 || failed.length < outcomes.length;
  if (again.length > 0) {
    const done = [...got, ...outcomes.flatMap(([channel, outcome]) => (outcome.sent || outcome.over ? [channel] : []))];
    const afterMs = Math.max(...again.map((outcome) => outcome.afterMs ?? 0));
    return { sent: false, reason, ...(afterMs > 0 && { afterMs }), ...(done.length > 0 && { got: done }) };
  }
  if (failed.length === 0 || isSent) return { sent: true };
  return { sent: false, reason, over: failed.some(({ over }) => over === 'notice') ? 'notice' : 'run' };
}
