/**
 * Where a command's words go. Standard output carries the answer, or JSON with `--json`; standard error everything else that a
 * person may want to know. Colours and lines that overwrite themselves only where a person looks.
 */
import type { Writable } from 'node:stream';

export interface TerminalOptions {
  out: Stream;
  err: Stream;
  /** Standard output is for a machine. */
  json?: boolean;
  /** @default true, where the stream is a terminal */
  colours?: boolean;
}

export type Stream = Writable & { isTTY?: boolean; columns?: number };

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

/** What stands below everything else on the screen, such as the line that a person types. */
export interface Beside {
  hide(): void;
  show(): void;
}

export class Terminal {
  /** Makes room for a note, and comes back. */
  beside: Beside | undefined;
  readonly json: boolean;
  /** For standard output. */
  readonly style: Style;
  /** For standard error. */
  readonly noteStyle: Style;
  readonly #out: Stream;
  readonly #err: Stream;
  #hasTransient = false;
  #isAtLineStart = true;

  constructor({ out, err, json = false, colours = true }: TerminalOptions) {
    this.json = json;
    this.#out = out;
    this.#err = err;
    this.style = colours && out.isTTY ? coloured : plain;
    this.noteStyle = colours && err.isTTY ? coloured : plain;
  }

  /** The answer, as it is. Silent with `--json`. */
  write(text: string): void {
    if (this.json || text === '') return;
    this.#clear();
    this.#isAtLineStart = text.endsWith('\n');
    this.#out.write(text);
  }

  line(text = ''): void {
    this.write(`${text}\n`);
  }

  /** Ends a line that was begun with `write`. */
  endLine(): void {
    if (!this.#isAtLineStart) this.write('\n');
  }

  /** One JSON document on one line. Silent without `--json`. */
  document(value: unknown): void {
    if (this.json) this.#out.write(`${JSON.stringify(value)}\n`);
  }

  /** An answer that is JSON as it stands, also with `--json`. */
  text(json: string): void {
    if (this.json) this.#out.write(json);
    else this.write(json);
  }

  /** For people, beside the answer. */
  note(text: string): void {
    this.#clear();
    this.beside?.hide();
    // Where both streams are the same screen, a note begins on a line of its own.
    if (this.#out.isTTY && this.#err.isTTY && !this.#isAtLineStart) this.line();
    this.#err.write(`${text}\n`);
    this.beside?.show();
  }

  /** What is being waited for. On a screen each line takes the place of the one before, elsewhere it is a line like any other. */
  progress(text: string): void {
    if (!this.#err.isTTY) {
      this.#err.write(`${text}\n`);
      return;
    }
    if (!this.#isAtLineStart) return;
    this.#err.write(`\r\u001b[2K${this.noteStyle.dim(text.slice(0, (this.#err.columns || 80) - 1))}`);
    this.#hasTransient = true;
  }

  /** As `progress`, and nothing where nobody looks. */
  hint(text: string): void {
    if (this.#err.isTTY) this.progress(text);
  }

  /** Takes the last line of progress away. */
  clear(): void {
    this.#clear();
  }

  #clear(): void {
    if (!this.#hasTransient) return;
    this.#err.write('\r\u001b[2K');
    this.#hasTransient = false;
  }
}

/** Words of a model or a person as a terminal may show them: no control characters, so that nobody else steers it. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- These are the characters it is about.
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}

const paint = (on: number, off: number) => (text: string) => (text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`);
const coloured: Style = {
  bold: paint(1, 22),
  dim: paint(2, 22),
  red: paint(31, 39),
  green: paint(32, 39),
  yellow: paint(33, 39),
  cyan: paint(36, 39),
};
const same = (text: string) => text;
const plain: Style = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };
