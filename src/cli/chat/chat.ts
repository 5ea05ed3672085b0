/** A conversation in the terminal: shows what is said, and takes words and answers whenever it is the person's turn. */
import { give, isTooLate } from '../../client/interact.js';
import { failureOf } from '../../contract/failure.js';
import { untilSomebodyWorks, withAbsenceNoted } from '../absence.js';
import type { Context } from '../context.js';
import { exitCodeOf, exitCodes, type ExitCode } from '../exit-codes.js';
import type { Place } from '../place.js';
import { printable } from '../terminal.js';
import { chatHelp, commandIn, type ChatCommand } from './commands.js';
import { takeAnswer } from './form.js';
import type { Keyboard } from './keyboard.js';
import { Listening, type OpenRequest } from './listening.js';
import type { Heard, Partner, Said } from './partner.js';
import { ChatScreen } from './screen.js';

export interface ChatOptions {
  context: Context;
  place: Place;
  partner: Partner;
  keyboard: Keyboard;
  /** Who answers. */
  by: string | undefined;
}

/** The person turns to something else. */
class Away extends Error {
  constructor(readonly why: 'left' | 'skipped' | 'interrupted') {
    super(why);
  }
}

export class Chat {
  readonly #screen: ChatScreen;
  /** Aborted when the person leaves, by whatever way. */
  readonly #leaving: AbortSignal;
  #listening: Listening | undefined;
  /** Ends what is being waited for, when there is something new to show or to ask. */
  #news = new AbortController();
  /** Left to others. */
  readonly #skipped = new Set<string>();
  #exitCode: ExitCode = exitCodes.ok;

  constructor(private readonly options: ChatOptions) {
    const { context, keyboard } = options;
    this.#screen = new ChatScreen(context, () => this.#listening?.run.id ?? options.partner.name);
    this.#leaving = AbortSignal.any([context.signal, keyboard.left]);
  }

  /** Returns when the person has left, with what came of the last that was said. */
  async talk(first?: string): Promise<ExitCode> {
    try {
      await this.#comeBack();
      if (first !== undefined) await this.#say(first);
      while (await this.#goOn());
    } catch (error) {
      if (!(error instanceof Away)) throw error;
    } finally {
      this.#listening?.stop();
    }
    return this.#exitCode;
  }

  /** `false`: the person has left. */
  async #goOn(): Promise<boolean> {
    await this.#hear();
    if (this.#leaving.aborted) return false;
    const open = this.#nextRequest;
    try {
      await (open ? this.#answer(open) : this.#hearPerson());
    } catch (error) {
      if (!(error instanceof Away) || error.why === 'left') throw error;
      if (error.why === 'skipped' && open) this.#skipped.add(open.request.requestId);
    }
    return true;
  }

  /** Shows what was said so far, and where the conversation is. */
  async #comeBack(): Promise<void> {
    const { context, place, partner } = this.options;
    const found = await partner.find();
    if (!found) return this.#screen.welcome(partner.name, 'new');
    const { run, isOpen } = found;
    if (isOpen) await untilSomebodyWorks(context, place);
    if (this.#leaving.aborted) return;
    const status = await withAbsenceNoted(context, place, run.status());
    if (isOpen) this.#listen(found, await run.lastSeq().catch(() => 0), status.pattern === 'session').begin(status);
    this.#screen.welcome(partner.name, isOpen ? 'open' : status.status);
    this.#screen.excerpt(await withAbsenceNoted(context, place, run.transcript()));
  }

  #listen({ run }: Pick<Heard, 'run'>, after: number, isSession: boolean): Listening {
    this.#listening?.stop();
    this.#screen.turnTo();
    this.#skipped.clear();
    const onNews = () => this.#news.abort();
    this.#listening = new Listening({ run, after, isSession, by: this.options.by, onNews, signal: this.#leaving });
    return this.#listening;
  }

  /** Shows what is said until it is the person's turn. */
  async #hear(): Promise<void> {
    const { context, place } = this.options;
    const pulse = setInterval(() => this.#screen.pulse(), 1000);
    try {
      await withAbsenceNoted(context, place, this.#untilAsked());
    } finally {
      clearInterval(pulse);
      context.terminal.clear();
    }
  }

  async #untilAsked(): Promise<void> {
    while (!this.#leaving.aborted) {
      this.#news = new AbortController();
      for (const event of this.#listening?.take() ?? []) this.#exitCode = this.#screen.show(event) ?? this.#exitCode;
      if (this.#nextRequest || !this.#listening?.isAtWork) return;
      await aborted(AbortSignal.any([this.#news.signal, this.#leaving]));
    }
  }

  get #nextRequest(): OpenRequest | undefined {
    return [...(this.#listening?.open ?? [])].find(({ request }) => !this.#skipped.has(request.requestId));
  }

  async #answer(open: OpenRequest): Promise<void> {
    const { listening, request, signal } = { listening: this.#listening as Listening, ...open };
    const who = this.options.by === undefined ? {} : { by: this.options.by };
    this.#screen.ask(request);
    if (request.assignee && this.options.by === undefined) {
      this.#screen.tell(`Only ${request.assignee.join(' or ')} may answer. If that is you, come back with --by and your name.`);
      throw new Away('skipped');
    }
    const person = {
      tell: (text: string) => this.#screen.tell(text),
      line: (prompt: string, choices: readonly string[] = []) => this.#line(prompt, signal, choices),
    };
    for (;;) {
      const answer = await takeAnswer(person, request.schema);
      this.#screen.answers.add(request.requestId);
      try {
        await give(listening.run, request.requestId, answer, { ...who, signal: AbortSignal.any([signal, this.#leaving]) });
        return listening.settle(open);
      } catch (error) {
        const { type, message } = failureOf(error);
        this.#screen.answers.delete(request.requestId);
        this.#screen.refused(message);
        if (isTooLate(type)) return listening.settle(open);
        if (type !== 'Input.Invalid') throw new Away('skipped');
      }
    }
  }

  async #hearPerson(): Promise<void> {
    const lines: string[] = [];
    do lines.push(await this.#line(lines.length === 0 ? '> ' : '… ', lines.length === 0 ? this.#news.signal : this.#leaving));
    while (lines.at(-1)?.endsWith('\\'));
    const text = lines.map((line) => line.replace(/\\$/, '')).join('\n');
    if (text.trim() !== '') await this.#say(text.replace(/^\s*\/\//, '/'));
  }

  async #say(text: string): Promise<void> {
    const { context, place, partner } = this.options;
    await untilSomebodyWorks(context, place);
    if (this.#leaving.aborted) throw new Away('left');
    let said: Said;
    try {
      said = await partner.say(text);
    } catch (error) {
      const { type, message } = failureOf(error);
      this.#exitCode = exitCodeOf(type);
      return this.#screen.refused(message);
    }
    const { run, after, turnId } = said;
    this.#exitCode = exitCodes.ok;
    this.#screen.said(turnId ?? run.id);
    const isHeard = this.#listening?.run.id === run.id && !this.#listening.isOver;
    const listening = isHeard ? (this.#listening as Listening) : this.#listen(said, after, turnId !== undefined);
    if (turnId !== undefined) listening.expect(turnId);
  }

  /** A line that is no command. */
  async #line(prompt: string, signal: AbortSignal, choices: readonly string[] = []): Promise<string> {
    const { keyboard } = this.options;
    for (;;) {
      const typed = await keyboard.ask(printable(prompt).slice(0, 200), AbortSignal.any([signal, this.#leaving]));
      if (typed === 'end' || this.#leaving.aborted) throw new Away('left');
      if (typed === 'interrupted') throw new Away('interrupted');
      const command = commandIn(typed.line, choices);
      if (command) await this.#try(command);
      else if (/^\s*\/(?!\/)/.test(typed.line) && choices.length === 0)
        this.#screen.tell(`There is no ${typed.line.trim()} here; /help says what there is.`);
      else return typed.line;
    }
  }

  /** What cannot be done just now ends no conversation. */
  async #try(command: ChatCommand): Promise<void> {
    try {
      await this.#do(command);
    } catch (error) {
      if (error instanceof Away) throw error;
      this.#screen.refused(failureOf(error).message);
    }
  }

  async #do(command: ChatCommand): Promise<void> {
    const run = this.#listening?.run;
    switch (command) {
      case 'quit':
        throw new Away('left');
      case 'skip':
        throw new Away('skipped');
      case 'help':
        return this.#screen.tell(chatHelp);
      case 'requests':
        this.#screen.requests(run ? await run.requests() : []);
        this.#skipped.clear();
        throw new Away('interrupted');
      case 'status':
        return this.#screen.status(await run?.status());
      case 'cancel':
        if (!run) return this.#screen.tell('Nothing has been said yet.');
        this.#screen.tell(`${run.id}: ${(await run.cancel({ reason: 'asked for in a chat' })).status}.`);
        // They are withdrawn in a moment.
        this.#listening?.open.clear();
        throw new Away('interrupted');
    }
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
