/** Who has the floor: one speaks at a time, and what others say meanwhile is held until that turn has ended. */
import type { Terminal } from '../terminal.js';
import type { Speech } from './speech.js';

/** A turn. */
export interface Speaker {
  /** `desk › shipping` */
  label: string;
  /** The nested run that it speaks in; empty: the run that is watched. */
  run: string;
  speech: Speech;
  /** A turn for sure: what is asked to decide something is no speech, and is never shown. */
  isBegun: boolean;
  isDone: boolean;
  /** What it said while another was speaking. */
  held: string[];
}

export class Floor {
  #holder: Speaker | undefined;
  /** Whose words are the last on the screen. */
  #heard: Speaker | undefined;
  readonly #waiting = new Set<Speaker>();

  /** `isWithin`: the one run is nested in the other. */
  constructor(
    private readonly terminal: Terminal,
    private readonly isWithin: (inner: string, outer: string) => boolean,
  ) {}

  begin(speaker: Speaker): void {
    if (speaker.isBegun) return;
    speaker.isBegun = true;
    if (speaker.held.length > 0 && this.#mayTake(speaker)) this.#release(speaker);
  }

  say(speaker: Speaker, text: string): void {
    if (text === '') return;
    if (speaker.isBegun && this.#mayTake(speaker)) {
      this.#holder = speaker;
      this.#write(speaker, text);
    } else {
      speaker.held.push(text);
      this.#waiting.add(speaker);
    }
  }

  end(speaker: Speaker): void {
    if (speaker.isDone) return;
    this.begin(speaker);
    speaker.isDone = true;
    const last = speaker.held.at(-1);
    if (last !== undefined) {
      speaker.held.push(last.endsWith('\n') ? '\n' : '\n\n');
    } else if (this.#heard === speaker) {
      this.terminal.endLine();
      this.terminal.line();
    }
    if (this.#holder === speaker) this.#holder = undefined;
    this.#next();
  }

  /** It was no speech. */
  forget(speaker: Speaker): void {
    this.#waiting.delete(speaker);
  }

  /** What nobody says. It comes behind the words of its own run that are held. */
  aside(run: string, text: string): void {
    const before = [...this.#waiting].filter((speaker) => speaker.run === run && speaker.isBegun).at(-1);
    if (before) return void before.held.push(`${text}\n\n`);
    this.#part();
    this.terminal.line(text);
    this.terminal.line();
    this.#heard = undefined;
  }

  /** From now on nobody is held back: everything is shown that was. */
  clear(): void {
    this.#holder = undefined;
    for (const speaker of this.#waiting) if (speaker.isBegun) this.#release(speaker);
    this.#holder = undefined;
  }

  /** Whoever waits for a run within lets it speak, once the own sentence is at its end. */
  #mayTake(speaker: Speaker): boolean {
    const holder = this.#holder;
    if (!holder || holder === speaker) return true;
    return !holder.speech.isMidway && this.isWithin(speaker.run, holder.run);
  }

  #next(): void {
    if (this.#holder) return;
    const waiting = [...this.#waiting].filter(({ isBegun }) => isBegun);
    for (const speaker of waiting.filter(({ isDone }) => isDone)) this.#release(speaker);
    const next = waiting.find(({ isDone }) => !isDone);
    if (next) this.#release(next);
  }

  #release(speaker: Speaker): void {
    this.#waiting.delete(speaker);
    if (!speaker.isDone) this.#holder = speaker;
    for (const text of speaker.held.splice(0)) this.#write(speaker, text);
  }

  #write(speaker: Speaker, text: string): void {
    const { style } = this.terminal;
    if (this.#heard !== speaker) {
      this.#part();
      this.terminal.line(style.bold(style.cyan(speaker.label)));
      this.#heard = speaker;
    }
    this.terminal.write(text);
  }

  /** An empty line after a turn that was interrupted; others have one already. */
  #part(): void {
    this.terminal.endLine();
    if (this.#heard?.isDone === false) this.terminal.line();
  }
}
