/** What waits for an answer at a run: each request is put once, for as long as it waits, and taken back when it waits no more. */
import type { RequestView } from '../contract/request.js';

export interface QuestionsOptions {
  list: () => Promise<RequestView[]>;
  /** `seq` of the last event in the log. */
  end: () => Promise<number>;
  /** `signal`: aborted when the request waits no more, or not for this person. */
  put: (request: RequestView, signal: AbortSignal) => void;
  /** Who may be asked. What is for others alone is not put. @default everybody */
  by?: string | undefined;
}

interface Question {
  request: RequestView;
  waiting: AbortController;
  /** What has led to it is told in the log before this `seq`: whoever is asked hears that first. */
  due: number;
  isPut: boolean;
}

export class Questions {
  readonly #known = new Map<string, Question>();

  constructor(private readonly options: QuestionsOptions) {}

  /** Looks at what waits now. */
  async look(): Promise<void> {
    const { list, end, by } = this.options;
    const open = new Map((await list()).filter((request) => isOpenFor(request, by)).map((request) => [keyOf(request), request]));
    for (const [key, { waiting }] of this.#known) {
      if (open.has(key)) continue;
      this.#known.delete(key);
      waiting.abort('settled');
    }
    const added = [...open].filter(([key]) => !this.#known.has(key));
    if (added.length === 0) return;
    const due = await end().catch(() => 0);
    for (const [key, request] of added) this.#known.set(key, { request, waiting: new AbortController(), due, isPut: false });
  }

  /** Puts what is due: the log was read up to here. `Infinity`: it says nothing more. */
  reach(seq: number): void {
    for (const question of this.#known.values()) {
      if (question.isPut || question.due > seq) continue;
      question.isPut = true;
      this.options.put(question.request, question.waiting.signal);
    }
  }

  /** Nobody is asked any more. */
  close(): void {
    for (const { waiting } of this.#known.values()) waiting.abort('closed');
    this.#known.clear();
  }
}

function isOpenFor({ status, assignee }: RequestView, by: string | undefined): boolean {
  return status === 'pending' && (by === undefined || assignee === undefined || assignee.includes(by));
}

/** The same id may be asked again, after the run was put back. */
function keyOf({ requestId, createdAt }: RequestView): string {
  return `${createdAt} ${requestId}`;
}
