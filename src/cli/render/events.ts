/** A run as it happens: each agent's words under its name, as they come. */
import type { RunEvent } from '../../contract/event.js';
import { printable, type Terminal } from '../terminal.js';
import { decisionText } from './decisions.js';
import { count, duration, short } from './words.js';

interface Speaker {
  agent: string;
  /** The step whose words are being shown, its attempt, and what of them has been shown. */
  step?: string;
  attempt: number;
  shown: string;
  hasHeading: boolean;
  /** What it said while another was speaking. */
  held: string[];
  isDone: boolean;
}

export class EventPrinter {
  /** The last complete message of an agent. */
  lastReply = '';
  readonly #speakers = new Map<string, Speaker>();
  #current: Speaker | undefined;
  #heardAt = Date.now();

  /** `hidesTask`: whoever watches has just written it. */
  constructor(
    private readonly terminal: Terminal,
    private readonly hidesTask = false,
  ) {}

  print(event: RunEvent): void {
    this.#heardAt = Date.now();
    const { style } = this.terminal;
    switch (event.type) {
      case 'run.started':
        if (event.nested !== undefined) return;
        return this.#aside(style.dim(`${event.orchestration ?? event.pattern}: ${event.agents.join(', ')}`));
      case 'message.received':
        if (event.nested !== undefined || (this.hidesTask && this.#speakers.size === 0)) return;
        return this.#aside(style.dim(`${printable(event.author ?? 'to the team')}: ${printable(short(event.text, 200))}`));
      case 'input.refused':
        return this.#aside(style.yellow(`Refused (${printable(event.handler)}): ${printable(event.reason)}`));
      case 'cancel.requested':
        return this.#aside(style.yellow(`Asked to stop (${event.mode})${event.reason ? `: ${printable(event.reason)}` : ''}`));
      case 'request.opened':
        return this.#aside(style.yellow(`Asks you (${printable(event.requestId)}): ${printable(short(event.prompt, 500))}`));
      default: {
        const line = decisionText(event);
        if (line !== undefined) return this.#aside(style.dim(printable(line)));
        if (event.turn !== undefined) this.#turn(event, this.#speaker(event.turn, event.agent, event.nested));
      }
    }
  }

  /** Who is being waited for, when nothing has been heard for a second: `analyst is thinking (3 s)`. */
  waitingFor(): string | undefined {
    const silentMs = Date.now() - this.#heardAt;
    if (silentMs < 900) return undefined;
    const speaking = [...this.#speakers.values()].filter(({ isDone }) => !isDone).map(({ agent }) => agent);
    const who = speaking.length > 3 ? count(speaking.length, 'agent') : speaking.join(', ');
    return `${who === '' ? 'Waiting for the run' : `${who} at work`} (${duration(silentMs)})`;
  }

  #turn(event: RunEvent, speaker: Speaker): void {
    const { style } = this.terminal;
    switch (event.type) {
      case 'delta':
        if (event.kind === 'reasoning') return;
        if (!this.#begin(speaker, event.step, event.attempt)) return;
        speaker.shown += event.text;
        return this.#say(speaker, printable(event.text));
      case 'step.restarted':
        if (speaker.step === event.step && (event.attempt ?? Infinity) > speaker.attempt)
          this.#startOver(speaker, event.attempt, event.reason);
        return;
      case 'message.completed':
        if (!this.#begin(speaker, event.step, event.attempt)) return;
        return this.#complete(speaker, event.text);
      case 'tool.called':
        return this.#say(speaker, `${style.dim(`→ ${event.tool} ${printable(short(JSON.stringify(event.arguments ?? {}), 160))}`)}\n`);
      case 'tool.progressed':
        return this.#say(speaker, `${style.dim(`  ${event.tool}: ${printable(short(JSON.stringify(event.progress), 160))}`)}\n`);
      case 'tool.returned':
        return this.#say(speaker, `${(event.ok ? style.dim : style.yellow)(`← ${event.tool} ${printable(short(event.text, 160))}`)}\n`);
      case 'turn.completed':
        return this.#end(speaker);
      case 'turn.failed':
        this.#say(speaker, `${style.red(`The turn failed: ${printable(event.failure.message)} (${event.failure.type})`)}\n`);
        return this.#end(speaker);
    }
  }

  #speaker(turn: number, agent = '', nested = ''): Speaker {
    const key = `${nested}/${turn}`;
    const known = this.#speakers.get(key);
    if (known) return known;
    const speaker = { agent, attempt: 1, shown: '', hasHeading: false, held: [], isDone: false };
    this.#speakers.set(key, speaker);
    this.#current ??= speaker;
    return speaker;
  }

  /** Another step or attempt may begin with these words. False for words of an attempt that was given up. */
  #begin(speaker: Speaker, step: string | undefined, attempt = 1): boolean {
    if (speaker.step !== step) Object.assign(speaker, { step, attempt, shown: '' });
    else if (attempt > speaker.attempt) this.#startOver(speaker, attempt);
    return attempt >= speaker.attempt;
  }

  #startOver(speaker: Speaker, attempt = speaker.attempt + 1, reason?: string): void {
    speaker.attempt = attempt;
    if (speaker.shown === '') return;
    speaker.shown = '';
    this.#say(
      speaker,
      `\n${this.terminal.style.yellow(`This did not arrive whole and is said again${reason ? `: ${printable(reason)}` : ''}`)}\n`,
    );
  }

  /** Deltas are a courtesy: what did not come by them is shown now. The event itself may hold only the beginning of a long text. */
  #complete(speaker: Speaker, text: string): void {
    const { shown } = speaker;
    if (text.startsWith(shown)) this.#say(speaker, printable(text.slice(shown.length)));
    else if (!shown.startsWith(text)) this.#say(speaker, `\n${printable(text)}`);
    this.lastReply = shown.startsWith(text) ? shown : text;
    speaker.shown = '';
    if (this.lastReply !== '' && !this.lastReply.endsWith('\n')) this.#say(speaker, '\n');
  }

  #end(speaker: Speaker): void {
    speaker.isDone = true;
    if (speaker.hasHeading || speaker.held.length > 0) this.#say(speaker, '\n');
    if (this.#current !== speaker) return;
    const waiting = [...this.#speakers.values()];
    for (const next of waiting.filter(({ held, isDone }) => isDone && held.length > 0)) this.#release(next);
    this.#current = waiting.find(({ isDone }) => !isDone);
    if (this.#current) this.#release(this.#current);
    for (const [key, { isDone }] of this.#speakers) if (isDone) this.#speakers.delete(key);
  }

  #release(speaker: Speaker): void {
    this.#current = speaker;
    for (const text of speaker.held.splice(0)) this.#say(speaker, text);
  }

  #say(speaker: Speaker, text: string): void {
    if (text === '') return;
    if (speaker !== this.#current) {
      speaker.held.push(text);
      return;
    }
    if (!speaker.hasHeading) this.terminal.line(this.terminal.style.bold(this.terminal.style.cyan(printable(speaker.agent))));
    speaker.hasHeading = true;
    this.terminal.write(text);
  }

  #aside(text: string): void {
    this.terminal.endLine();
    this.terminal.line(text);
    this.terminal.line();
  }
}
