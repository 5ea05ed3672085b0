/** Where a person types: line by line, from a terminal or from whatever is piped in. */
import { createInterface, clearScreenDown, cursorTo, moveCursor, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { fail } from '../../contract/failure.js';
import { sizes } from '../../contract/size.js';
import type { Machine } from '../context.js';
import type { Stream, Terminal } from '../terminal.js';

/** `interrupted`: something else has to be shown first, and what was typed so far stays. `end`: nothing more will be typed. */
export type Typed = { line: string } | 'interrupted' | 'end';

export interface Keyboard {
  /** A person looks at it. */
  readonly isScreen: boolean;
  /** Aborted when the person leaves while nothing is asked: by Ctrl-C or Ctrl-D. */
  readonly left: AbortSignal;
  ask(prompt: string, signal: AbortSignal): Promise<Typed>;
  close(): void;
}

export function openKeyboard({ stdin, out }: Pick<Machine, 'stdin' | 'out'>, terminal: Terminal): Keyboard {
  const isScreen = stdin.isTTY === true && out.isTTY === true && !terminal.json;
  return isScreen ? new ScreenKeyboard(stdin as unknown as NodeJS.ReadableStream, out, terminal) : new PipedKeyboard(stdin);
}

/** With editing and history. Nothing of it is seen but while something is asked, and what is typed meanwhile is not sent before it is seen. */
class ScreenKeyboard implements Keyboard {
  readonly isScreen = true;
  readonly #leaving = new AbortController();
  readonly #output: Curtain;
  readonly #lines: Interface;
  #answer: ((typed: Typed) => void) | undefined;
  #typedAhead = '';

  constructor(
    input: NodeJS.ReadableStream,
    private readonly out: Stream,
    private readonly terminal: Terminal,
  ) {
    this.#output = new Curtain(out);
    this.#lines = createInterface({ input, output: this.#output, terminal: true, historySize: 500, removeHistoryDuplicates: true });
    this.#lines.on('line', (line) => this.#take(line));
    this.#lines.on('SIGINT', () => this.#leave());
    this.#lines.on('close', () => this.#leave());
    out.on('resize', this.#resized);
  }

  get left(): AbortSignal {
    return this.#leaving.signal;
  }

  async ask(prompt: string, signal: AbortSignal): Promise<Typed> {
    if (this.left.aborted) return 'end';
    if (signal.aborted) return 'interrupted';
    return await new Promise<Typed>((resolve) => {
      const interrupt = () => {
        this.#hide();
        this.#settle('interrupted');
      };
      this.#answer = (typed) => {
        signal.removeEventListener('abort', interrupt);
        this.terminal.beside = undefined;
        resolve(typed);
      };
      signal.addEventListener('abort', interrupt, { once: true });
      this.terminal.endLine();
      this.terminal.clear();
      this.#lines.setPrompt(prompt);
      if (this.#typedAhead !== '') this.#lines.write(this.#typedAhead);
      this.#typedAhead = '';
      this.#show();
      this.terminal.beside = { hide: () => this.#hide(), show: () => this.#show() };
    });
  }

  close(): void {
    this.out.off('resize', this.#resized);
    this.#lines.close();
  }

  readonly #resized = () => this.#output.emit('resize');

  #take(line: string): void {
    if (this.#answer) this.#settle({ line });
    // It is shown, and can be changed, when something is asked: nobody has agreed to what was not on the screen.
    else this.#typedAhead = [this.#typedAhead, line].filter((part) => part !== '').join(' ');
  }

  #leave(): void {
    if (this.#answer && this.#output.isDrawn) this.#output.write('\n');
    this.#leaving.abort();
    this.#settle('end');
  }

  #settle(typed: Typed): void {
    const answer = this.#answer;
    this.#answer = undefined;
    this.#output.isDrawn = false;
    answer?.(typed);
  }

  #show(): void {
    this.#output.isDrawn = true;
    // Where it was drawn before says nothing any more.
    (this.#lines as { prevRows?: number }).prevRows = 0;
    this.#lines.prompt(true);
  }

  #hide(): void {
    if (!this.#output.isDrawn) return;
    moveCursor(this.out, 0, -this.#lines.getCursorPos().rows);
    cursorTo(this.out, 0);
    clearScreenDown(this.out);
    this.#output.isDrawn = false;
  }
}

/** The screen as the line editor sees it; closed, nothing of it is drawn. */
class Curtain extends Writable {
  isDrawn = false;
  readonly isTTY = true;

  constructor(private readonly out: Stream) {
    super();
  }

  get columns(): number {
    return this.out.columns || 80;
  }

  override _write(chunk: Buffer | string, _: BufferEncoding, done: () => void): void {
    if (this.isDrawn) this.out.write(chunk);
    done();
  }
}

/** A line more is read only when one is asked for. */
class PipedKeyboard implements Keyboard {
  readonly isScreen = false;
  readonly left = new AbortController().signal;
  readonly #lines: AsyncIterator<string>;
  #next: Promise<IteratorResult<string>> | undefined;

  constructor(stdin: AsyncIterable<Buffer | string>) {
    this.#lines = linesOf(stdin);
  }

  async ask(_prompt: string, signal: AbortSignal): Promise<Typed> {
    if (signal.aborted) return 'interrupted';
    this.#next ??= this.#lines.next();
    // What goes wrong is told to whoever asks next.
    this.#next.catch(() => undefined);
    const interrupted = new Promise<'interrupted'>((resolve) =>
      signal.addEventListener('abort', () => resolve('interrupted'), { once: true }),
    );
    const line = await Promise.race([this.#next, interrupted]);
    if (line === 'interrupted') return line;
    this.#next = undefined;
    return line.done ? 'end' : { line: line.value };
  }

  close(): void {
    // Whoever writes there is not waited for.
  }
}

async function* linesOf(stdin: AsyncIterable<Buffer | string>): AsyncGenerator<string, undefined, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stdin) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split(/\r?\n/);
    rest = lines.pop() as string;
    yield* lines;
    if (rest.length > sizes.input) throw fail('Input.TooLarge', `A line has more than ${sizes.input / 1024} KiB. Say less at once.`);
  }
  if (rest !== '') yield rest;
  return undefined;
}
