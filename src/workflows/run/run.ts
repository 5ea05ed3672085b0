/** One execution of a pattern: the words that patterns are written with, over the state they change. */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { TeamMember } from '../../contract/agent.js';
import type { EventType, EventTypes, NewEvent } from '../../contract/event.js';
import { fail } from '../../contract/failure.js';
import type { Json, JsonObject, Span } from '../../contract/json.js';
import { checkTask } from '../../contract/guards.js';
import { textOf, type Message } from '../../contract/message.js';
import type { PersonOptions } from '../../contract/pattern.js';
import { stopCodes, type RunResult, type StopCode } from '../../contract/run.js';
import { spanMs } from '../../contract/span.js';
import type { Fired } from '../../contract/termination.js';
import type { RunState } from '../../state/run-state.js';
import { agentsOf } from '../../state/views.js';
import { ask, type AskOptions } from './ask.js';
import { boundary } from './boundary.js';
import { now } from './clock.js';
import { entryAppended, judge, usageGrown } from './conditions.js';
import { patienceOf } from './expiry.js';
import { callRegistered, type CallOptions } from './functions.js';
import { Notices } from './notices.js';
import { Outbox } from './outbox.js';
import { askPerson } from './person.js';
import { Quiet } from './quiet.js';
import { request, type Answer, type Question } from './requests.js';
import { close } from './sleep.js';
import { RunStopped } from './stopped.js';
import { together, type MemberResult, type Results, type TogetherOptions } from './together.js';
import { Transcript } from './transcript.js';
import { takeTurn, type TurnOptions } from './turn.js';
import type { TurnOutcome } from './turn-record.js';
import { until } from './until.js';
import { wasSaid } from './was-said.js';
import { showDetails } from './visibility.js';

export class Run<Progress extends object = JsonObject, Options extends object = JsonObject> {
  readonly workflowId = workflowInfo().workflowId;
  readonly firstRunId = workflowInfo().firstExecutionRunId;
  readonly transcript: Transcript;
  readonly outbox: Outbox;
  /** Everything that may be interrupted happens in here. */
  readonly scope = new CancellationScope({ cancellable: true });
  /**
   * Turns that are being taken, waits of the pattern itself, and how many of all these have stopped for the run to continue as new.
   * `heard`: messages that came in.
   */
  readonly traffic = { taking: 0, waiting: 0, parked: 0, heard: 0 };
  /** Whether it has waited for so long that it may sleep. */
  readonly quiet = new Quiet(this);
  /** Tells people of requests. */
  readonly notices = new Notices(this);
  /** Everybody has stopped, and one does for all what has to be done. */
  meeting?: Promise<void>;
  /** The same for the record of requests. */
  takingDown?: Promise<void>;
  /** Nested runs whose end Temporal tells to this execution. */
  readonly followed = new Set<string>();
  /** Agents whose conversation could not be compacted: in that turn it is not tried again, and the oldest is left out. */
  readonly uncompacted = new Map<string, { turn: number; tokens: number }>();
  /** What makes the output is at work: it may still ask and call, and meets no condition. */
  isEpilogue = false;
  /** For whom it waits, as the search attribute says. */
  waitsFor?: string;
  /** It was asked to stop before its team was loaded. */
  earlyStop?: { reason?: string };
  phase: 'starting' | 'running' | 'waiting' | 'closed' = 'starting';
  result?: RunResult;
  failure?: { type: string; message: string };

  constructor(
    readonly state: RunState,
    readonly pattern: { conversational: boolean; keepsTask?: boolean; partial?: () => Json | void },
  ) {
    this.transcript = new Transcript(state.transcript, (entry) => entryAppended(this, entry));
    this.outbox = new Outbox(state, this.firstRunId);
  }

  /** The names of those who take turns, in the order given. */
  get agents(): string[] {
    return agentsOf(this.state);
  }

  /** The pattern's options, as the input gave them; agents among them are names. */
  get options(): Options {
    return this.state.options as Options;
  }

  /** The pattern's own end, where it is not simply done. */
  get ending(): RunState['ending'] {
    return this.state.ending;
  }

  /** It has closed because nobody said anything: until somebody does, or for good. */
  get isAtRest(): boolean {
    return this.state.ending?.code === 'asleep' || this.state.ending?.code === 'expired';
  }

  /** The pattern's own memory: plain JSON, kept across continue-as-new. */
  get progress(): Progress {
    return this.state.progress as Progress;
  }

  /**
   * One agent speaks: model ⇄ tools until it replies. Resumes the agent's turn when one is in flight.
   * Ends the run at a limit; fails it when the turn fails, unless `onFailure: 'record'`.
   */
  async turn(agent: string, options?: TurnOptions): Promise<TurnOutcome> {
    const outcome = await takeTurn(this, this.member(agent), options ?? {});
    await judge(this);
    return outcome;
  }

  /**
   * Several speak side by side, and none hears the others. Results are listed in the order of the names. Give a part of `progress` as
   * `results`: what is in there already is not done again.
   */
  async together(agents: readonly string[], results: Results, options?: TogetherOptions): Promise<MemberResult[]> {
    const list = await together(this, agents, results, options);
    await judge(this);
    return list;
  }

  /** A question to an agent, answered with JSON. Not a part of the conversation, and not a turn. Keep the answer in `progress`. */
  async ask<T extends Json>(agent: string, options: AskOptions<T>): Promise<T> {
    this.throwIfStopped();
    const answer = await ask(this, this.member(agent), options);
    await usageGrown(this);
    this.throwIfStopped();
    return answer;
  }

  /** Calls a function that is registered with the worker. Keep what it returns in `progress`. */
  async call(name: string, input: Json, options?: CallOptions): Promise<Json> {
    return await callRegistered(this, name, input, options);
  }

  /** Asks a person, and waits as long as it takes. The same id is the same question. */
  async request(id: string, question: Omit<Question, 'turn'>): Promise<Answer> {
    return await request(this, id, question);
  }

  /** Asks a person for words, which join the transcript. `end`: the person, or the time given, ends the run. */
  async askPerson(id: string, options: PersonOptions & { agent?: string }): Promise<'heard' | 'end'> {
    return await askPerson(this, id, options);
  }

  /** Words of the last reply, or their beginning. */
  get lastReply(): string {
    return this.state.output?.text ?? '';
  }

  /** What came from outside and is still in the workflow, as text: at the beginning the task. */
  get heardFromOutside(): string {
    const entries = this.state.transcript.tail.filter(({ turn, audience }) => turn === undefined && !audience);
    return entries.map(({ message }) => textOf(message)).join('\n\n');
  }

  /**
   * What a function has made joins the transcript for one agent: a text, a message, or a list of them. Returns the first one's position.
   *
   * @throws `Function.Failed` when it is none of these
   */
  tellMade(made: Json, by: string, to: string): number {
    const { messages, problems } = checkTask(made);
    if (messages.length === 0 || problems.length > 0) {
      const reasons = problems.map(({ path, message }) => `${path}: ${message}`).join('; ') || 'nothing was returned';
      throw fail('Function.Failed', `The function "${by}" must return a text, a message or a list of messages: ${reasons}`, {
        final: true,
      });
    }
    const [first] = messages.map((message) =>
      this.transcript.append({ message: { createdAt: new Date().toISOString(), ...message }, audience: [to] }),
    );
    return first as number;
  }

  /** Says something in the pattern's own name: to everybody, or to some. Returns its position. */
  tell(text: string, { to, role = 'user' }: { to?: string[]; role?: string } = {}): number {
    const message: Message = { role, createdAt: new Date().toISOString(), contents: [{ $type: 'text', text }] };
    return this.transcript.append({ message, ...(to && { audience: to }) });
  }

  /**
   * Waits until something is said to the team that no turn has taken up yet. The next turn answers it.
   *
   * @param atMost how long. @default as long as it takes, or until a session expires
   * @returns `false` when nothing was said in this time
   */
  async hear(atMost?: Span): Promise<boolean> {
    if (this.state.turns.length > 0 || this.state.unanswered) return true;
    this.phase = this.state.inbox.length > 0 ? 'running' : 'waiting';
    if (this.phase === 'waiting') showDetails(this, 'waits for the next message');
    const deadline = Math.min(patienceOf(this), now() + (spanMs(atMost) ?? Infinity));
    const wait = { ...(deadline < Infinity && { deadline }), ...(atMost !== undefined && { isWakeful: true }) };
    await until(this, () => this.state.inbox.length > 0, wait);
    this.phase = 'running';
    const said = this.state.inbox.shift();
    if (!said) return false;
    if (await wasSaid(this, said.id)) return await this.hear(atMost);
    await this.listen(said.message, said.id);
    return true;
  }

  /** Closes the workflow until something is said, or for good when its time is over. `false` when there is something to do; else the plot has to end. */
  async sleep(): Promise<boolean> {
    const end = await close(this);
    if (end) this.endsWith(end, stopCodes[end]);
    return end !== undefined;
  }

  /** Something from outside joins the transcript, and may meet a condition. */
  async listen(message: Message, id?: string): Promise<void> {
    this.receive(message, id);
    await judge(this);
  }

  /** A place between turns: seals what is old, and continues as new when the history has grown long. */
  async checkpoint(): Promise<void> {
    this.throwIfStopped();
    await boundary(this);
  }

  /** Tells watchers. */
  emit<T extends EventType>(type: T, fields: EventTypes[T] & Partial<Pick<NewEvent, 'turn' | 'step' | 'agent'>>): void {
    this.outbox.emit(type, fields);
  }

  /** Something from outside joins the transcript. */
  receive(message: Message, id?: string): void {
    const { artifact, ...rest } = message;
    const stamped = { ...rest, createdAt: message.createdAt ?? new Date().toISOString() };
    this.transcript.append({
      message: stamped,
      ...(artifact !== undefined && { blob: artifact, cut: true }),
      ...(id !== undefined && { id }),
    });
    this.state.unanswered = id === undefined ? {} : { id };
    delete this.state.quietSince;
    this.outbox.emit('message.received', {
      text: textOf(message).slice(0, 2000),
      ...(message.authorName && { author: message.authorName }),
      ...(id !== undefined && { messageId: id }),
    });
  }

  /** What members are for, for those who choose among them: `- name: description`. */
  describe(agents: readonly string[]): string {
    return agents.map((name) => `- ${name}: ${this.member(name).description ?? 'no description'}`).join('\n');
  }

  member(agent: string): TeamMember {
    const member = this.state.team.members.find(({ name }) => name === agent);
    if (!member) throw fail('Input.UnknownAgent', `"${agent}" is not in this run's team (${this.agents.join(', ')}).`, { final: true });
    return member;
  }

  /** Nothing more starts. The first reason stays. */
  stop(status: RunResult['status'], code: StopCode, message: string, conditions?: Fired[]): void {
    this.state.stop ??= { status, code, message, ...(conditions && { conditions }) };
  }

  /** The pattern's own end, where it is not simply done. What the plot returns is still the output. */
  endsWith(code: StopCode, message: string, { incomplete = false }: { incomplete?: boolean } = {}): void {
    this.state.ending = { status: 'stopped', code, message, ...(incomplete && { incomplete }) };
  }

  /** What has stopped it, if anything, leaves the means to make an output. */
  get mayConclude(): boolean {
    const { stop } = this.state;
    return !stop || stop.code === 'condition' || stop.code === 'limit.turns';
  }

  /** After the plot has come to its end, or was brought to it: what makes the output may still ask and call. */
  async epilogue<T>(body: () => Promise<T>): Promise<T> {
    this.isEpilogue = true;
    try {
      return await body();
    } finally {
      this.isEpilogue = false;
    }
  }

  /** Nothing more may start, nor be waited for. */
  get isStopped(): boolean {
    return this.state.stop !== undefined && !(this.isEpilogue && this.mayConclude);
  }

  throwIfStopped(): void {
    if (this.isStopped) throw new RunStopped(this.state.stop?.message);
  }
}

/** A run of any pattern: what the modules of this folder pass around. */
export type AnyRun = Run<object, object>;
