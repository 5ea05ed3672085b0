/** What a chat shows. */
import type { RunEvent } from '../../contract/event.js';
import type { RequestView } from '../../contract/request.js';
import type { RunStatus } from '../../contract/run.js';
import type { Entry } from '../../contract/transcript.js';
import type { Context } from '../context.js';
import { exitCodeOf, exitCodeOfResult, type ExitCode } from '../exit-codes.js';
import { respondWords } from '../render/answers.js';
import { EventPrinter } from '../render/events.js';
import { excerptOf } from '../render/excerpt.js';
import { askedText, forWhom, requestText } from '../render/requests.js';
import { statusText } from '../render/status.js';
import { outputText, summary } from '../render/words.js';
import { printable } from '../terminal.js';

export class ChatScreen {
  /** The last that was said before, whether or not all of it is on the screen. */
  #before = { text: '', isWhole: false };
  /** Requests that were answered here. */
  readonly answers = new Set<string>();
  /** Messages that were said here, and runs whose task was. */
  readonly #said = new Set<string>();
  #printer: EventPrinter;
  /** Turns whose beginning was seen: words out of the middle of another one are not shown, but all of it when it is complete. */
  readonly #begun = new Set<string>();

  constructor(
    private readonly context: Context,
    private readonly runId: () => string,
  ) {
    this.#printer = this.#newPrinter();
  }

  /** Another run is listened to. */
  turnTo(): void {
    this.#printer = this.#newPrinter();
    this.#begun.clear();
  }

  #newPrinter(): EventPrinter {
    return new EventPrinter(this.context.terminal, { asking: { isOwn: (id) => this.answers.has(id) } });
  }

  welcome(name: string, status: RunStatus['status'] | 'new' | 'open'): void {
    const { terminal } = this.context;
    const where = {
      new: 'a new conversation',
      open: 'it goes on',
      asleep: 'it sleeps; the next message wakes it',
    }[status as string];
    terminal.note(
      terminal.noteStyle.dim(
        printable(`${name}: ${where ?? `${status}; the next message goes on with it`}. /help says what can be typed.`),
      ),
    );
  }

  excerpt(entries: readonly Entry[]): void {
    const { text, last } = excerptOf(entries, this.context.terminal.style);
    if (text !== '') this.context.terminal.line(`${text}\n`);
    this.#before = last;
  }

  /** What was said here is on the screen already. */
  said(id: string): void {
    this.#said.add(id);
  }

  /** The exit code, where something has come to its end. */
  show(event: RunEvent): ExitCode | undefined {
    const { terminal } = this.context;
    if (terminal.json) terminal.document(event);
    else if (!this.#isNoise(event)) this.#printer.print(event);
    if (event.nested !== undefined) return undefined;
    if (event.type === 'turn.failed') return exitCodeOf(event.failure.type);
    if (event.type === 'run.failed') return this.#failed(event.failure);
    return event.type === 'run.finished' ? this.#finished(event) : undefined;
  }

  ask(request: RequestView): void {
    const { terminal } = this.context;
    terminal.document({ request });
    const { style } = terminal;
    const { agent, requestId } = request;
    const who = agent === undefined ? 'Asks you' : `${agent} asks you`;
    const about = forWhom(request).join(', ');
    const isSaid = this.#before.isWhole && this.#before.text === request.prompt.trim();
    const asked = askedText(request, style, isSaid ? '' : this.#printer.unsaid(request.prompt));
    terminal.endLine();
    terminal.line(style.yellow(printable(`${who} (${requestId}${about && `, ${about}`})${asked.length > 0 ? ':' : '.'}`)));
    for (const text of asked) terminal.line(text);
  }

  tell(text: string): void {
    const { terminal } = this.context;
    terminal.line(terminal.style.dim(printable(text)));
  }

  refused(message: string): void {
    const { terminal } = this.context;
    terminal.note(`${terminal.noteStyle.red('✗')} ${printable(message)}`);
    if (terminal.json) terminal.document({ refused: message });
  }

  requests(known: readonly RequestView[]): void {
    const { terminal, next } = this.context;
    const open = known.filter(({ status }) => status === 'pending');
    if (open.length === 0) return this.tell('Nothing waits for an answer.');
    const command = (request: RequestView) => (answer: string) => next('respond', this.runId(), ...respondWords(request, answer));
    for (const request of open) terminal.line(`${requestText(request, terminal.style, command(request))}\n`);
  }

  status(status: RunStatus | undefined): void {
    const { terminal } = this.context;
    if (status) terminal.line(statusText(status, terminal.style));
    else this.tell('Nothing has been said yet.');
  }

  /** Who is being waited for. */
  pulse(): void {
    const { terminal, signal } = this.context;
    const text = this.#printer.waitingFor();
    if (text !== undefined && !terminal.json && !signal.aborted) terminal.hint(text);
  }

  #isNoise(event: RunEvent): boolean {
    if (event.type === 'run.started') return event.nested === undefined && event.pattern === 'session';
    // A task has no id, and is said before anything else.
    if (event.type === 'message.received') return this.#said.has(event.messageId ?? (this.#begun.size === 0 ? event.runId : ''));
    const turn = `${event.nested ?? ''}/${event.turn}`;
    if (event.type === 'turn.started') this.#begun.add(turn);
    return event.type === 'delta' && !this.#begun.has(turn);
  }

  #failed({ type, message }: { type: string; message: string }): ExitCode {
    const { terminal } = this.context;
    terminal.note(`${terminal.noteStyle.red('✗')} ${printable(message)} ${terminal.noteStyle.dim(`(${type})`)}`);
    return exitCodeOf(type);
  }

  #finished({ result }: RunEvent & { type: 'run.finished' }): ExitCode {
    const { terminal } = this.context;
    const { green, yellow, dim } = terminal.noteStyle;
    const output = outputText(result);
    if (output.trim() !== (this.#printer.lastReply.trim() || this.#before.text)) terminal.line(printable(output));
    const isAsleep = result.stopReason.code === 'asleep';
    terminal.note(
      dim(`${result.status === 'completed' ? green('✓') : yellow('■')} ${isAsleep ? result.stopReason.message : summary(result)}`),
    );
    return exitCodeOfResult(result);
  }
}
