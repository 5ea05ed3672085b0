/** How long a person is waited for, and what then: the same wherever one is asked. */
import type { Json, Span } from './json.js';
import { spanMs } from './span.js';

export interface Patience<Outcome extends string = string> {
  /** Who may answer, by name: an answer has to say that it is `by` one of them. @default anybody */
  assignee?: string | string[];
  /** For whom it is, in words such as "finance". Shown and told, not checked. */
  role?: string;
  /** How long an answer is waited for. @default for ever */
  timeout?: Span;
  /** When to remind: every so long, or after so long each, from when this person was asked. @default never */
  remind?: Span | Span[];
  /** What happens when the time is over: a word, an answer that counts instead, or somebody else is asked the same. */
  onTimeout?: Outcome | { answer: Json } | { escalate: Patience<Outcome> };
}

/** How often a request is passed on, and how often each of those who are asked is reminded. */
export const mostEscalations = 5;
export const mostReminders = 100;

/** Who is asked after so many escalations, and how long. */
export function stageOf<Outcome extends string>(patience: Patience<Outcome>, escalations: number): Patience<Outcome> {
  const next = escalationOf(patience);
  return escalations === 0 || !next ? patience : stageOf(next, escalations - 1);
}

/** Patterns of others may hand on what somebody wrote: whatever it is, nothing here throws. */
export function escalationOf<Outcome extends string>({ onTimeout }: Patience<Outcome>): Patience<Outcome> | undefined {
  const next = typeof onTimeout === 'object' && onTimeout !== null && 'escalate' in onTimeout ? onTimeout.escalate : undefined;
  return typeof next === 'object' && next !== null ? next : undefined;
}

export function answerInstead({ onTimeout }: Patience): { answer: Json } | undefined {
  return typeof onTimeout === 'object' && onTimeout !== null && 'answer' in onTimeout ? onTimeout : undefined;
}

/** After so many milliseconds there is another reminder, when there were so many; `undefined`: none any more. */
export function reminderAfter({ remind }: Pick<Patience, 'remind'>, reminded: number): number | undefined {
  if (remind === undefined || reminded >= mostReminders) return undefined;
  if (!Array.isArray(remind)) return (spanMs(remind) ?? Infinity) * (reminded + 1);
  const times = remind.map((span) => spanMs(span) ?? Infinity).sort((a, b) => a - b);
  return times[reminded];
}

export function assigneesOf({ assignee }: Pick<Patience, 'assignee'>): string[] | undefined {
  if (typeof assignee === 'string') return [assignee];
  return Array.isArray(assignee) ? assignee.filter((name) => typeof name === 'string') : undefined;
}
