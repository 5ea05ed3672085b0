/** How turns begin and end in a run's state: what is counted, remembered and told. */
import type { TeamMember } from '../../contract/agent.js';
import { noUsage, type TurnOpening, type Usage } from '../../contract/transcript.js';
import type { OpenTurn } from '../../state/run-state.js';
import { turnEnded } from './conditions.js';
import type { AnyRun } from './run.js';
import type { Move } from './tool-round.js';

/** The words of a reply that its event holds, in characters. */
const eventText = 8000;

/** What a turn came to. */
export interface Spoken {
  text: string;
  blob?: string;
  cut?: true;
  usage?: Usage;
  /** Of its last entry in the transcript. */
  position: number;
  move?: Move;
}

/** What a pattern is told of a turn. */
export interface TurnOutcome {
  agent: string;
  /** What the agent said; of a very long text the beginning, and `artifact`, the id of the whole. */
  text: string;
  artifact?: string;
  /** The whole reply in the store, unless it is short. */
  blob?: string;
  /** Of the reply in the transcript. */
  position: number;
  /** It handed over to another agent, or said that the task is done. */
  move?: Move;
  /** With `onFailure: 'record'`. */
  failure?: { type: string; message: string };
}

/** Only a new turn is refused when the run is about to end: one that was in flight when it continued as new is still taken to its end. */
export function openTurn(run: AnyRun, member: TeamMember, from?: number): OpenTurn {
  run.throwIfStopped();
  checkTurns(run);
  const ordinal = run.state.lastTurn + 1;
  const said = run.state.unanswered;
  const turn: OpenTurn = {
    id: said?.id ?? `turn-${ordinal}`,
    ordinal,
    agent: member.name,
    start: run.transcript.length,
    ...(from !== undefined && { from }),
    at: new Date().toISOString(),
    modelCalls: 0,
  };
  run.state.lastTurn = ordinal;
  run.state.rounds += 1;
  run.state.unanswered = undefined;
  run.state.turns.push(turn);
  updateSaid(run, turn.id, { status: 'running' });
  run.outbox.emit('turn.started', { turnId: turn.id, turn: ordinal, agent: turn.agent });
  return turn;
}

/** Ends the run when no turn is left. */
export function checkTurns(run: AnyRun): void {
  const { limits, rounds } = run.state;
  if (limits.turns === undefined || rounds < limits.turns || run.isEpilogue) return;
  run.stop('stopped', 'limit.turns', `The limit of ${limits.turns} turns was reached.`);
  run.throwIfStopped();
}

export function closeTurn(run: AnyRun, turn: OpenTurn, { text, blob, cut, usage = noUsage, position, move }: Spoken): TurnOutcome {
  const artifact = cut && blob ? { artifact: blob } : {};
  // Whoever wants more than the event holds finds it there.
  const whole = blob && (cut || text.length > eventText) ? { artifact: blob } : {};
  const summary = move && 'complete' in move ? move.summary : '';
  run.state.turns = run.state.turns.filter((open) => open !== turn);
  if (!move || text !== '') run.state.output = { text, ...artifact };
  else if (summary !== '') run.state.output ??= { text: summary };
  updateSaid(run, turn.id, { status: 'completed', reply: position });
  run.outbox.emit('turn.completed', {
    turnId: turn.id,
    text: text.slice(0, eventText),
    usage,
    ...whole,
    turn: turn.ordinal,
    agent: turn.agent,
  });
  turnEnded(run, turn.ordinal);
  return { agent: turn.agent, text, ...artifact, ...(blob && { blob }), position, ...(move && { move }) };
}

export function failTurn(run: AnyRun, turn: OpenTurn, failure: { type: string; message: string }): TurnOutcome {
  const { type, message } = failure;
  run.state.turns = run.state.turns.filter((open) => open !== turn);
  const position = run.transcript.append({
    message: {
      role: 'assistant',
      authorName: turn.agent,
      createdAt: new Date().toISOString(),
      contents: [{ $type: 'error', message, errorCode: type }],
    },
    turn: turn.ordinal,
    ...(turn.modelCalls === 0 && { opens: opening(turn), reply: { model: '', finishReason: 'error', usage: noUsage } }),
  });
  // A thousand of these have to fit into the state.
  updateSaid(run, turn.id, { status: 'failed', failure: { type, message: message.slice(0, 500) } });
  run.outbox.emit('turn.failed', { turnId: turn.id, failure: { type, message }, turn: turn.ordinal, agent: turn.agent });
  turnEnded(run, turn.ordinal);
  return { agent: turn.agent, text: '', position, failure: { type, message } };
}

export function opening({ id, agent, start, from, at }: OpenTurn): TurnOpening {
  return { id, agent, start, ...(from !== undefined && { from }), at };
}

function updateSaid(run: AnyRun, id: string, change: Partial<(typeof run.state.said)[number]>): void {
  const said = run.state.said.find((message) => message.id === id);
  if (said) Object.assign(said, change);
}
