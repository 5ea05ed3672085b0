/** A run as it happens, with the runs nested in it: each agent's words under its name, as they come. */
import type { EventTypes, RunEvent } from '../../contract/event.js';
import { printable, type Terminal } from '../terminal.js';
import { Asked, unsaid, type AskingCommands, type Passing } from './asked.js';
import { decisionText } from './decisions.js';
import { Floor, type Speaker } from './floor.js';
import { Speech } from './speech.js';
import { stateText } from './state-events.js';
import { Where } from './where.js';
import { count, duration, short } from './words.js';

export interface EventPrinterOptions {
  /** Whoever watches has just written the task. */
  hidesTask?: boolean;
  /** How whoever watches can answer. */
  commands?: AskingCommands;
  /** Requests are shown by somebody else, who also knows which were answered there. */
  asking?: { isOwn: (requestId: string) => boolean };
}

export class EventPrinter {
  /** The last complete reply. */
  lastReply = '';
  readonly #where = new Where();
  readonly #floor: Floor;
  readonly #asked: Asked;
  /** By run and ordinal of the turn. */
  readonly #speakers = new Map<string, Speaker>();
  /** Turns that have ended, by run: the log may tell of their beginning afterwards. */
  readonly #ended = new Map<string, Set<string>>();
  /** The last reply in each run. */
  readonly #replies = new Map<string, string>();
  #plan = '';
  #hasBegun = false;
  #heardAt = Date.now();

  constructor(
    private readonly terminal: Terminal,
    private readonly options: EventPrinterOptions = {},
  ) {
    this.#floor = new Floor(terminal, (inner, outer) => this.#where.isWithin(inner, outer));
    this.#asked = new Asked(terminal.style, options.commands, options.asking?.isOwn);
  }

  print(event: RunEvent): void {
    this.#heardAt = Date.now();
    const { style } = this.terminal;
    const { nested: run = '' } = event;
    switch (event.type) {
      case 'run.started':
        if (run === '') this.#aside(run, style.dim(printable(`${event.orchestration ?? event.pattern}: ${event.agents.join(', ')}`)));
        return;
      case 'message.received':
        if ((this.options.hidesTask && !this.#hasBegun) || this.#asked.isAnswer(event.text)) return;
        return this.#aside(run, style.dim(printable(`${event.author ?? 'to the team'}: ${short(event.text, 200)}`)));
      case 'nested.started':
        return this.#where.starts(event, event.agent ?? event.pattern, run);
      case 'nested.ended':
        return this.#endAll(event.nestedRunId);
      case 'run.finished':
      case 'run.failed':
        return this.#endAll(run);
      case 'input.refused':
        return this.#aside(run, style.yellow(printable(`Refused (${event.handler}): ${event.reason}`)));
      case 'command.failed':
        return this.#aside(
          run,
          style.yellow(printable(`Could not ${event.command}: ${short(event.failure.message, 500)} (${event.failure.type})`)),
        );
      case 'cancel.requested':
        // The run above tells those within, too.
        if (run !== '') return;
        return this.#aside(run, style.yellow(printable(`Asked to stop (${event.mode})${event.reason ? `: ${event.reason}` : ''}`)));
      case 'request.opened':
      case 'request.answered':
      case 'request.reminded':
      case 'request.escalated':
      case 'request.withdrawn':
      case 'request.expired':
        return this.#request(event, run);
      default:
        return this.#other(event, run);
    }
  }

  /** What is new in a text: it may repeat what was just said, or a plan that was just shown. */
  unsaid(text: string): string {
    return unsaid(text, [...this.#replies.values(), this.#plan]);
  }

  /** Who is being waited for, when nothing has been heard for a second: `analyst is thinking (3 s)`. */
  waitingFor(): string | undefined {
    const silentMs = Date.now() - this.#heardAt;
    if (silentMs < 900) return undefined;
    const open = [...this.#speakers.values()].filter(({ isBegun, isDone }) => isBegun && !isDone).map(({ label }) => label);
    // Of a turn that is a run of its own, those in it are at work.
    const speaking = open.filter((label) => !open.some((other) => other.startsWith(`${label} › `)));
    const who = speaking.length > 3 ? count(speaking.length, 'agent') : speaking.join(', ');
    const what = who !== '' ? `${who} at work` : `Waiting for ${this.#asked.open.join(', ') || 'the run'}`;
    return `${printable(what)} (${duration(silentMs)})`;
  }

  #other(event: RunEvent, run: string): void {
    if (event.type === 'plan.made') this.#plan = event.plan;
    if (event.type === 'run.rolledBack') {
      this.#endAll(run);
      this.#ended.delete(run);
    }
    const line = decisionText(event) ?? stateText(event);
    if (line !== undefined) return this.#aside(run, this.terminal.style.dim(printable(line)));
    if (event.turn !== undefined) this.#turn(event, event.turn, run);
  }

  #turn(event: RunEvent, turn: number, run: string): void {
    this.#hasBegun = true;
    if (event.type === 'turn.started' && this.#ended.get(run)?.has(event.turnId)) return;
    const speaker = this.#speaker(turn, run, event.agent);
    this.#floor.say(speaker, speaker.speech.add(event, this.terminal.style));
    switch (event.type) {
      case 'turn.started':
        this.#asked.turnBegins();
        this.#floor.begin(speaker);
        return this.#hear(speaker, speaker.speech.reply);
      case 'message.completed':
        if (speaker.isBegun) this.#hear(speaker, speaker.speech.reply);
        return;
      case 'turn.completed':
        this.#complete(speaker, event);
        return this.#end(speaker, turn, event.turnId);
      case 'turn.failed':
        return this.#end(speaker, turn, event.turnId);
    }
  }

  /** What a turn comes to may have been said in a run within, or not at all. */
  #complete(speaker: Speaker, { text, agent = '' }: EventTypes['turn.completed'] & { agent?: string }): void {
    const within = this.#where.runsOf(agent, speaker.run).map((run) => this.#replies.get(run) ?? '');
    const said = [speaker.speech.reply, ...within].find((reply) => reply.trim().startsWith(text.trim()));
    if (said === undefined) this.#floor.say(speaker, `${printable(text)}${text.endsWith('\n') ? '' : '\n'}`);
    this.#hear(speaker, said ?? text);
  }

  #hear({ run }: Speaker, reply: string): void {
    if (reply === '') return;
    this.lastReply = reply;
    this.#replies.set(run, reply);
  }

  #end(speaker: Speaker, turn: number, turnId: string): void {
    const { run } = speaker;
    this.#floor.end(speaker);
    this.#speakers.delete(`${run}/${turn}`);
    this.#ended.set(run, (this.#ended.get(run) ?? new Set()).add(turnId));
  }

  /** Of this run and those within: however their turns were broken off, nobody speaks any more. */
  #endAll(run: string): void {
    for (const [key, speaker] of this.#speakers) {
      if (speaker.run !== run && !this.#where.isWithin(speaker.run, run)) continue;
      if (speaker.isBegun) this.#floor.end(speaker);
      else this.#floor.forget(speaker);
      this.#speakers.delete(key);
    }
    if (run === '') this.#floor.clear();
  }

  #speaker(turn: number, run: string, agent = ''): Speaker {
    const key = `${run}/${turn}`;
    const known = this.#speakers.get(key);
    if (known) return known;
    const label = printable(this.#where.label(run, agent));
    const speaker = { label, run, speech: new Speech(), isBegun: false, isDone: false, held: [] };
    this.#speakers.set(key, speaker);
    return speaker;
  }

  #request(event: Extract<RunEvent, { type: 'request.opened' | 'request.answered' }> | Passing, run: string): void {
    const id = this.#where.requestId(run, event.requestId);
    const { style } = this.terminal;
    if (event.type === 'request.opened') {
      // Whoever is to answer reads first what has led to it, and an answer may take days.
      this.#floor.clear();
      if (this.options.asking) return this.#asked.waits(id ?? event.requestId);
      const said = [this.#replies.get(run) ?? '', this.#plan];
      return this.#floor.aside(run, this.#asked.opens(event, id, this.#where.label(run, event.agent), said));
    }
    const shownId = id ?? event.requestId;
    const line = event.type === 'request.answered' ? this.#asked.answered(shownId, event) : this.#asked.passes(shownId, event);
    if (line !== undefined) this.#floor.aside('', style.dim(printable(line)));
  }

  #aside(run: string, text: string): void {
    const where = this.#where.label(run);
    this.#floor.aside(run, where === '' ? text : `${this.terminal.style.dim(`${printable(where)} ›`)} ${text}`);
  }
}
