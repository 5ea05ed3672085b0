/** The record of what people were asked and have answered: complete, however long ago. */
import type { Json } from './json.js';
import type { RequestView } from './request.js';
import type { StepInput } from './step.js';

/** One request: who was asked what, by whom and when, and what became of it. */
export interface AuditEntry extends Omit<RequestView, 'schema' | 'createdAt' | 'answeredAt' | 'remindAt'> {
  /** RFC 3339. */
  askedAt: string;
  /** When it was answered, expired or was withdrawn. Absent as long as it waits. */
  settledAt?: string;
  /** The response was so long that only its beginning is here, as text. */
  isCut?: true;
  /** What happened to it in between: the last fifty. */
  trail?: AuditMark[];
  /** How often the run had been put back by then. What was decided before that stays on record. */
  branch?: number;
}

export interface AuditMark {
  /** RFC 3339. */
  at: string;
  what: 'reminded' | 'escalated';
  /** Whom it was passed on to. */
  assignee?: string[];
  role?: string;
}

/** What the query `audit` tells: the newest of it, and where the rest is. */
export interface AuditPage {
  /** The last part in the store. */
  last: string | null;
  /** Entries in the store. */
  count: number;
  /** Those after them, in the order in which they were settled. */
  fresh: AuditEntry[];
}

/** Parts are a chain of immutable documents in the store: each names the one before it by its content. */
export interface AuditPart {
  type: typeof auditPartType;
  previous: string | null;
  /** Entries up to the end of this part. */
  count: number;
  entries: AuditEntry[];
}

export const auditPartType = 'ostinato.audit';

export interface WriteAuditInput extends StepInput, Omit<AuditPart, 'type'> {}

export interface WriteAuditOutput {
  id: string;
}

/** A response as it is recorded: whole, when it has no more than so many characters as JSON. */
export function recordedResponse(response: Json, most: number): { response: Json; isCut?: true } {
  const text = JSON.stringify(response);
  return text.length <= most ? { response } : { response: text.slice(0, most).replace(/[\uD800-\uDBFF]$/, ''), isCut: true };
}
