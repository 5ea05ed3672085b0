/** What a run remembers of the record of its requests: what the store does not have yet, and where the rest is. Safe in the workflow sandbox. */
import { recordedResponse, type AuditEntry, type AuditPage } from '../contract/audit.js';
import { beginningOf } from '../contract/cut-text.js';
import type { RequestState } from './run-state.js';
import type { Shape } from './shape.js';

export interface AuditState extends AuditPage {
  /** About as many characters as `fresh` has. */
  size: number;
}

export const noAudit: AuditState = { last: null, count: 0, fresh: [], size: 0 };

/** Characters of a prompt and a response; the second where much waits to be written already. */
const most = { prompt: 8000, response: 16 * 1024 };
const mostInARush = { prompt: 500, response: 1024 };
/** Characters that wait to be written. */
const rush = 256 * 1024;

/** With one more that was settled. */
export function withEntry({ size, fresh, ...audit }: AuditState, asked: RequestState, at: string, branch?: number): AuditState {
  const entry = entryOf(asked, { at, ...(branch !== undefined && { branch }) }, size > rush ? mostInARush : most);
  return { ...audit, fresh: [...fresh, entry], size: size + sizeOf(entry) };
}

/** Without the first entries, which the store has under this id. */
export function withPart({ count, fresh }: AuditState, last: string, written: number): AuditState {
  const rest = fresh.slice(written);
  return { last, count: count + written, fresh: rest, size: rest.reduce((sum, entry) => sum + sizeOf(entry), 0) };
}

/** Member by member: a request has more than belongs here, and some of it is large. */
export function entryOf(asked: RequestState, { at, branch }: { at?: string; branch?: number } = {}, cut = most): AuditEntry {
  const { schema: _, remindAt: __, operation: ___, nestedId: ____, told: _____, turn: ______, stage: _______, ...record } = asked;
  const { createdAt, answeredAt, prompt, response, ...rest } = record;
  const settledAt = answeredAt ?? at;
  return {
    ...rest,
    prompt: beginningOf(prompt, cut.prompt),
    askedAt: createdAt,
    ...(asked.status !== 'pending' && settledAt !== undefined && { settledAt }),
    ...(response !== undefined && recordedResponse(response, cut.response)),
    ...(branch !== undefined && { branch }),
  };
}

function sizeOf({ prompt, response }: AuditEntry): number {
  return 300 + prompt.length + (response === undefined ? 0 : JSON.stringify(response).length);
}

export const auditEntryShape: Shape = {
  fields: { requestId: 'string', kind: 'string', prompt: 'string', askedAt: 'time', settledAt: { optional: 'time' }, status: 'string' },
};

export const auditShape: Shape = {
  fields: { last: { nullable: 'string' }, count: 'count', fresh: { list: auditEntryShape }, size: 'count' },
};
