/** One execution of a pattern: the words that patterns are written with, over the state they change. */
import { CancellationScope, condition, workflowInfo } from '@temporalio/workflow';
import type { TeamMember } from '../../contract/agent.js';
import { fail } from '../../contract/failure.js';
import type { JsonObject } from '../../contract/json.js';
import { textOf, type Message } from '../../contract/message.js';
import type { RunResult, StopCode } from '../../contract/run.js';
import type { RunState } from '../../state/run-state.js';
import { boundary } from './boundary.js';
import { Outbox } from './outbox.js';
import { RunStopped } from './stopped.js';
import { Transcript } from './transcript.js';
import { takeTurn, type TurnOptions } from './turn.js';

export class Run<Progress extends object = JsonObject, Options extends object = JsonObject> {
  readonly workflowId = workflowInfo().workflowId;
  readonly firstRunId = workflowInfo().firstExecutionRunId;
  readonly transcript: Transcript;
  readonly outbox: Outbox;
  /** Everything that may be interrupted happens in here. */
  readonly scope = new CancellationScope({ cancellable: true });
  /** Turns that are being taken, and how many of them wait at a step boundary for the run to continue as new. */
  readonly traffic = { taking: 0, parked: 0 };
  phase: 'starting' | 'running' | 'waiting' | 'closed' = 'starting';
  result?: RunResult;
  failure?: { type: string; message: string };

  constructor(
    readonly state: RunState,
    readonly pattern: { conversational: boolean },
  ) {
    this.transcript = new Transcript(state.transcript);
    this.outbox = new Outbox(state, this.firstRunId);
  }

  /** The agents' names, in the order given. */
  get agents(): string[] {
    return this.state.team.members.map((member) => member.name);
  }

  /** The pattern's options, as the input gave them. */
  get options(): Options {
    return this.state.options as Options;
  }

  /** The pattern's own memory: plain JSON, kept across continue-as-new. */
  get progress(): Progress {
    return this.state.progress as Progress;
  }

  /**
   * One agent speaks: model ⇄ tools until it replies. Resumes the agent's turn when one is in flight.
   * Ends the run at a limit; fails it when the turn fails, unless `onFailure: 'record'`.
   */
  async turn(agent: string, options?: TurnOptions): Promise<void> {
    this.throwIfStopped();
    await takeTurn(this, this.member(agent), options ?? {});
  }

  /** Waits until something is said to the team that no turn has taken up yet. The next turn answers it. */
  async hear(): Promise<void> {
    if (this.state.turns.length > 0 || this.state.unanswered) return;
    while (this.state.inbox.length === 0) {
      this.phase = 'waiting';
      await this.outbox.flush();
      const isLong = () => workflowInfo().continueAsNewSuggested;
      await condition(() => this.state.inbox.length > 0 || this.state.stop !== undefined || this.outbox.isWaiting || isLong());
      this.phase = 'running';
      this.throwIfStopped();
      // Refused signals make a history grow, too.
      if (isLong()) await boundary(this);
    }
    this.throwIfStopped();
    const said = this.state.inbox.shift();
    if (said) this.receive(said.message, said.id);
  }

  /** A place between turns: seals what is old, and continues as new when the history has grown long. */
  async checkpoint(): Promise<void> {
    this.throwIfStopped();
    await boundary(this);
  }

  /** Something from outside joins the transcript. */
  receive(message: Message, id?: string): void {
    const stamped = { ...message, createdAt: message.createdAt ?? new Date().toISOString() };
    this.transcript.append({ message: stamped, ...(id !== undefined && { id }) });
    this.state.unanswered = id === undefined ? {} : { id };
    this.outbox.emit('message.received', {
      text: textOf(message).slice(0, 2000),
      ...(message.authorName && { author: message.authorName }),
      ...(id !== undefined && { messageId: id }),
    });
  }

  member(agent: string): TeamMember {
    const member = this.state.team.members.find(({ name }) => name === agent);
    if (!member) throw fail('Input.UnknownAgent', `"${agent}" is not in this run's team (${this.agents.join(', ')}).`, { final: true });
    return member;
  }

  /** Nothing more starts. The first reason stays. */
  stop(status: 'stopped' | 'cancelled', code: StopCode, message: string): void {
    this.state.stop ??= { status, code, message };
  }

  throwIfStopped(): void {
    if (this.state.stop) throw new RunStopped(this.state.stop.message);
  }
}

/** A run of any pattern: what the modules of this folder pass around. */
export type AnyRun = Run<object, object>;
