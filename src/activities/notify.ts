import { Context } from '@temporalio/activity';
import type { NewEvent } from '../contract/event.js';
import type { Notice, NoticeDraft, NoticeOutcome, NotifyInput, NotifyOutput } from '../contract/notice.js';
import type { Notifier } from '../notify/notifier.js';
import type { Store } from '../store/store.js';
import { publishEvents } from './publish.js';
import { RunLog } from './run-log.js';

/**
 * One attempt at each of some notices, side by side. When its worker is lost, whoever got one gets it again, under the same id. No failure of a
 * receiver is one of this activity: the run decides when it tries again.
 */
export function createNotify({ store, notifier }: { store: Store; notifier?: Notifier }) {
  return async function notify({ notices, run, ...base }: NotifyInput): Promise<NotifyOutput> {
    const { cancellationSignal: signal, info } = Context.current();
    await publishEvents(store.events, base);
    if (!notifier) return { outcomes: notices.map(() => ({ sent: false, reason: 'This worker is told of nobody to notify.' })) };
    const id = info.workflowExecution?.workflowId ?? '';
    const outcomes = await Promise.all(
      notices.map((draft) => notifier.send(documentOf(draft, { id, ...run }, notifier), { got: draft.got ?? [], signal })),
    );
    await new RunLog(store.events, base).append(notices.flatMap((draft, i) => eventOf(draft, outcomes[i], notifier)));
    return { outcomes };
  };
}

function documentOf({ id, type, at, request }: NoticeDraft, run: Notice['run'], notifier: Notifier): Notice {
  const isOpen = request.status === 'pending';
  return { version: 1, type, id, at, run, request, ...(isOpen && { answer: notifier.answerTo(run.id, request) }) };
}

/** Under a key of its own: told twice it is written once. */
function eventOf({ id, type, request }: NoticeDraft, outcome: NoticeOutcome | undefined, { channels }: Notifier): NewEvent[] {
  if (!outcome?.sent) return [];
  const about = { noticeId: id, requestId: request.requestId, about: type, by: [...channels] };
  return [{ type: 'notice.sent', key: `notice.sent/id:${id}`, at: new Date().toISOString(), ...about }];
}
