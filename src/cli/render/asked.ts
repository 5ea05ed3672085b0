/** What people are asked while a run is watched, and what they answer: each once, by the id that the watched run knows. */
import type { EventTypes, RunEvent } from '../../contract/event.js';
import { printable, type Style } from '../terminal.js';
import { answersText, answerText } from './answers.js';
import { short } from './words.js';

/** The commands to type next, for the run that is watched. */
export interface AskingCommands {
  respond(request: Addressed, answer: string): string;
  requests(): string;
}

export class Asked {
  readonly #open = new Set<string>();
  readonly #over = new Set<string>();
  /** Answers whose words are about to join the conversation. */
  #words = new Set<string>();

  constructor(
    private readonly style: Style,
    private readonly commands?: AskingCommands,
    /** Answered by whoever watches: nothing is told of it. */
    private readonly isOwn: (id: string) => boolean = () => false,
  ) {}

  /** Those that wait. */
  get open(): string[] {
    return [...this.#open];
  }

  /** `said`: words that are on the screen already, and not repeated. */
  opens(event: EventTypes['request.opened'], id: string | undefined, who: string, said: readonly string[]): string {
    const shownId = id ?? event.requestId;
    this.#open.add(shownId);
    this.#over.delete(shownId);
    const prompt = printable(unsaid(event.prompt, said));
    const rows = this.commands && (id === undefined ? [`how to answer: ${this.commands.requests()}`] : this.#answers(event, id));
    return [
      this.style.yellow(`${printable(asksWhom(who, event))} (${printable(shownId)})${prompt === '' ? '.' : ':'}`),
      ...(prompt === '' ? [] : [prompt]),
      ...(rows ?? []).map((row) => this.style.dim(printable(row))),
    ].join('\n');
  }

  /** It waits, and is shown elsewhere. */
  waits(id: string): void {
    this.#open.add(id);
    this.#over.delete(id);
  }

  /** `undefined`: it has been told. An answer passes through every run between the top and the one that asks. */
  answered(id: string, { by, response }: EventTypes['request.answered']): string | undefined {
    this.#open.delete(id);
    if (this.#over.has(id)) return undefined;
    this.#over.add(id);
    const words = answerText(response);
    this.#words.add(words.slice(0, 2000));
    if (this.isOwn(id)) return undefined;
    return `${id} is answered${by ? ` by ${by}` : ''}: ${short(words, 500)}`;
  }

  /** Nobody has answered yet, or nobody has to any more. */
  passes(id: string, event: Passing): string {
    switch (event.type) {
      case 'request.reminded':
        return `${id} still waits for an answer.`;
      case 'request.escalated':
        return `${id} is passed on${nameOf(event) === undefined ? '' : ` to ${nameOf(event)}`}.`;
      case 'request.withdrawn':
        this.#open.delete(id);
        return `${id} needs no answer any more: ${event.reason}.`;
      case 'request.expired':
        this.#open.delete(id);
        return `${id} has expired${event.response === undefined ? '' : `, and this counts as the answer: ${short(answerText(event.response), 500)}`}.`;
    }
  }

  /** Is this message an answer that has just been shown? */
  isAnswer(text: string): boolean {
    return this.#words.delete(text);
  }

  /** What is said from now on is something else. */
  turnBegins(): void {
    this.#words.clear();
  }

  #answers(event: EventTypes['request.opened'], id: string): string[] {
    return answersText(event, (answer) => this.commands?.respond({ ...event, requestId: id }, answer) ?? '');
  }
}

/** What becomes of a request without an answer. */
export type Passing = Extract<RunEvent, { type: 'request.reminded' | 'request.escalated' | 'request.withdrawn' | 'request.expired' }>;

function asksWhom(who: string, asked: Addressed): string {
  const whom = nameOf(asked) ?? 'you';
  return who === '' ? `Asks ${whom}` : `${who} asks ${whom}`;
}

/** A request, and for whom it is. */
export type Addressed = Pick<EventTypes['request.opened'], 'requestId' | 'assignee' | 'role'>;

function nameOf({ assignee, role }: Pick<Addressed, 'assignee' | 'role'>): string | undefined {
  return assignee && assignee.length > 0 ? assignee.join(' or ') : role;
}

/** What is asked is often what has just been said, or a plan that has just been shown. */
export function unsaid(prompt: string, said: readonly string[]): string {
  const before = said.map((text) => text.trim()).filter((text) => text !== '');
  if (before.some((text) => text === prompt.trim())) return '';
  return before.reduce((rest, text) => rest.replace(`The plan:\n${text}`, () => ''), prompt).trim();
}
