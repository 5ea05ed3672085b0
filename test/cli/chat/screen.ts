/** A terminal that a test types at, and whose words can be read. */
import { PassThrough } from 'node:stream';
import { runCli } from '../../../src/cli/cli.js';
import { eventually } from '../../support/eventually.js';
import { Sink, type RunOptions } from '../support.js';

export interface Typist extends AsyncDisposable {
  /** All that was drawn so far, without colours and movements of the cursor. */
  screen(): string;
  raw(): string;
  /** Waits until this is there, behind what was waited for before. */
  sees(words: string | RegExp): Promise<void>;
  type(text: string): void;
  /** A line, with Enter. */
  enter(text: string): void;
  interrupt(): void;
  readonly ended: Promise<number>;
}

class FakeTerminal extends PassThrough {
  readonly isTTY = true;
  isRaw = false;

  setRawMode(isRaw: boolean): this {
    this.isRaw = isRaw;
    return this;
  }
}

/** The command, at a terminal of its own. */
export function typing(args: string[], { cwd, env = {} }: RunOptions): Typist {
  const stdin = new FakeTerminal();
  const screen = new Sink(true);
  const stopping = new AbortController();
  const machine = { out: screen, err: screen, stdin, env: { TEMPORAL_CONFIG_FILE: '/none.toml', ...env }, cwd, signal: stopping.signal };
  const ended = runCli(args, machine);
  let read = 0;
  return {
    raw: () => screen.text,
    screen: () => plain(screen.text),
    async sees(words) {
      await eventually(() => {
        const rest = plain(screen.text).slice(read);
        const at = typeof words === 'string' ? rest.indexOf(words) : rest.search(words);
        if (at < 0) throw new Error(`${String(words)} is not on the screen:\n${rest}`);
        read += at + (typeof words === 'string' ? words.length : (words.exec(rest)?.[0].length ?? 0));
      });
    },
    type: (text) => void stdin.write(text),
    enter: (text) => void stdin.write(`${text}\r`),
    interrupt: () => stopping.abort('SIGINT'),
    ended,
    async [Symbol.asyncDispose]() {
      stopping.abort('SIGTERM');
      await ended;
    },
  };
}

/** Without lines that were overwritten: hints of what is being waited for. */
function plain(text: string): string {
  // eslint-disable-next-line no-control-regex -- Sequences of terminals begin with one.
  return text.replace(/[^\n]*\r\u001b\[2K/g, '').replace(/\u001b\[[0-9;?]*[A-Za-z]|\r/g, '');
}
