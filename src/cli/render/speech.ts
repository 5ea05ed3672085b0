/** The words of one turn: joins what comes in pieces, leaves out what was given up, adds what has not come at all. */
import type { RunEvent } from '../../contract/event.js';
import { printable, type Style } from '../terminal.js';
import { short } from './words.js';

export class Speech {
  /** The last complete message. */
  reply = '';
  #step: string | undefined;
  #attempt = 1;
  /** What of this step has been given out. */
  #shown = '';

  /** In the midst of a message. */
  get isMidway(): boolean {
    return this.#shown !== '';
  }

  /** What this event adds, as it is to be shown. */
  add(event: RunEvent, style: Style): string {
    switch (event.type) {
      case 'delta':
        if (event.kind === 'reasoning') return '';
        return this.#ofStep(event, style, () => {
          this.#shown += event.text;
          return printable(event.text);
        });
      case 'message.completed':
        return this.#ofStep(event, style, () => this.#complete(event.text));
      case 'step.restarted': {
        const isAhead = this.#step === event.step && (event.attempt ?? Infinity) > this.#attempt;
        return isAhead ? this.#startOver(style, event.attempt, event.reason) : '';
      }
      case 'tool.called':
        return `${style.dim(`→ ${printable(event.tool)} ${printable(short(JSON.stringify(event.arguments ?? {}), 160))}`)}\n`;
      case 'tool.progressed':
        return `${style.dim(`  ${printable(event.tool)}: ${printable(short(JSON.stringify(event.progress), 160))}`)}\n`;
      case 'tool.returned':
        return `${(event.ok ? style.dim : style.yellow)(`← ${printable(event.tool)} ${printable(short(event.text, 160))}`)}\n`;
      case 'turn.failed':
        return `${style.red(`The turn failed: ${printable(event.failure.message)} (${event.failure.type})`)}\n`;
      default:
        return '';
    }
  }

  /** Another step or attempt may begin with this event; one that was given up is heard no more. */
  #ofStep({ step, attempt = 1 }: RunEvent, style: Style, words: () => string): string {
    let again = '';
    if (this.#step !== step) {
      this.#step = step;
      this.#attempt = attempt;
      this.#shown = '';
    } else if (attempt > this.#attempt) {
      again = this.#startOver(style, attempt);
    }
    return attempt < this.#attempt ? '' : again + words();
  }

  #startOver(style: Style, attempt = this.#attempt + 1, reason?: string): string {
    this.#attempt = attempt;
    if (this.#shown === '') return '';
    this.#shown = '';
    return `\n${style.yellow(`This did not arrive whole and is said again${reason ? `: ${printable(reason)}` : ''}`)}\n`;
  }

  /** Deltas are a courtesy: what did not come by them is shown now. The event itself may hold only the beginning of a long text. */
  #complete(text: string): string {
    const shown = this.#shown;
    const rest = text.startsWith(shown) ? text.slice(shown.length) : shown.startsWith(text) ? '' : `\n${text}`;
    this.reply = shown.startsWith(text) ? shown : text;
    this.#shown = '';
    return `${printable(rest)}${this.reply === '' || this.reply.endsWith('\n') ? '' : '\n'}`;
  }
}
