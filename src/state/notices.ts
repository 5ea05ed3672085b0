/** What people have been told of a request, and what there is to tell: the difference between the two. Safe in the workflow sandbox. */
import type { NoticeChannel, NoticeType } from '../contract/notice.js';
import { digestOf } from '../contract/same-json.js';
import type { RequestState, RunState } from './run-state.js';
import type { Shape } from './shape.js';

/** What was told of one request. */
export interface NoticeMark {
  opened?: true;
  /** The reminders of which people know, and a digest of whom it was for then. */
  reminders?: number;
  to?: string;
  /** That it waits no more. */
  over?: true;
  /** What is being tried, or was and has not got through as far as anybody knows. */
  trying?: { id: string; since: string; tries: number; got?: NoticeChannel[] };
}

/** Something to tell. */
export interface News {
  asked: RequestState;
  type: NoticeType;
  id: string;
}

/** What there is to tell of all requests, those first that were tried least. What was settled before anybody was told of it is no news. */
export function newsIn(state: RunState): News[] {
  const news = state.requests.flatMap((asked) => {
    const type = newsOf(asked);
    return type ? [{ asked, type, id: idOf(state, asked, type) }] : [];
  });
  return news.sort((a, b) => triesOf(a) - triesOf(b));
}

export function newsOf(asked: RequestState): NoticeType | undefined {
  const { status, told = {}, reminders = 0 } = asked;
  // One that was tried may have got through, whatever came back.
  if (status !== 'pending') return told.over || !(told.opened || told.trying) ? undefined : `request.${status}`;
  if (!told.opened) return 'request.opened';
  if (whomOf(asked) !== told.to) return 'request.escalated';
  return reminders > (told.reminders ?? 0) ? 'request.reminded' : undefined;
}

/** It was told as it was then. What is told late takes nothing back, and something newer may be on its way. */
export function markTold({ asked, id }: News, { status, reminders, to }: Told): void {
  const { trying, over } = asked.told ?? {};
  if (status !== 'pending') asked.told = { over: true };
  if (status !== 'pending' || over) return;
  asked.told = {
    opened: true,
    ...(reminders !== undefined && { reminders }),
    ...(to !== undefined && { to }),
    ...(trying && trying.id !== id && { trying }),
  };
}

export type Told = Pick<RequestState, 'status' | 'reminders'> & { to?: string | undefined };

export function asTold(asked: RequestState): Told {
  const { status, reminders } = asked;
  return { status, ...(reminders !== undefined && { reminders }), to: whomOf(asked) };
}

/** Before an attempt: whatever becomes of it, it may get through. */
export function markTrying({ asked, id }: News, at: string): NonNullable<NoticeMark['trying']> {
  const trying = triedBefore(asked, id) ?? { id, since: at, tries: 0 };
  trying.tries += 1;
  asked.told = { ...asked.told, trying };
  return trying;
}

/** Attempts at the same news. */
export function triedBefore({ told }: RequestState, id: string): NoticeMark['trying'] {
  return told?.trying?.id === id ? told.trying : undefined;
}

/** The run is put back to when the request was open. Where people still have it before them, they are not told again. */
export function markAfterRollback(asked: RequestState, live: readonly RequestState[]): RequestState {
  const { told: _, ...rest } = asked;
  const now = live.find(({ requestId, createdAt }) => requestId === asked.requestId && createdAt === asked.createdAt);
  return asked.status === 'pending' && now?.told && !now.told.over ? { ...rest, told: now.told } : rest;
}

/** Another run asks the same: nobody was told of that yet. */
export function untold({ told: _, ...asked }: RequestState): RequestState {
  return asked;
}

/** What a run has put back asks anew, and what another run asks, has another id. */
function idOf({ conversationId, branch = 0 }: RunState, asked: RequestState, type: NoticeType): string {
  const { requestId, createdAt, reminders = 0 } = asked;
  const which = type === 'request.reminded' ? reminders : type === 'request.escalated' ? (whomOf(asked) ?? null) : null;
  return `notice_${digestOf([conversationId, branch, requestId, createdAt, type, which])}`;
}

function triesOf({ asked, id }: News): number {
  return triedBefore(asked, id)?.tries ?? 0;
}

/** `undefined` for a request that is for anybody. */
function whomOf({ assignee, role, escalatedFrom }: RequestState): string | undefined {
  if (!assignee && role === undefined && !escalatedFrom) return undefined;
  return digestOf([assignee ?? [], role ?? '', escalatedFrom ?? []]);
}

export const noticeMarkShape: Shape = {
  fields: {
    opened: { optional: 'boolean' },
    reminders: { optional: 'count' },
    to: { optional: 'string' },
    over: { optional: 'boolean' },
    trying: { optional: { fields: { id: 'string', since: 'time', tries: 'count', got: { optional: { list: 'string' } } } } },
  },
};
