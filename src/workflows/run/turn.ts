/** One agent's turn: model ⇄ tools until it replies. */
import { isCancellation } from '@temporalio/workflow';
import type { TeamMember } from '../../contract/agent.js';
import { failureOf, failures } from '../../contract/failure.js';
import { callsOf, textOf } from '../../contract/message.js';
import type { CallModelOutput } from '../../contract/step.js';
import { addUsage, noUsage } from '../../contract/transcript.js';
import type { OpenTurn } from '../../state/run-state.js';
import { callModel, stepFailure } from './activities.js';
import { boundary } from './boundary.js';
import type { AnyRun } from './run.js';
import { beginStep, completeStep } from './steps.js';
import { RunStopped } from './stopped.js';
import { callTools } from './tool-calls.js';
import { showDetails } from './visibility.js';

/** The words of a reply that its event holds, in characters. */
const eventText = 8000;

export interface TurnOptions {
  /** `record`: the failure is part of the conversation, and the run goes on. @default 'fail' */
  onFailure?: 'fail' | 'record';
}

export async function takeTurn(run: AnyRun, member: TeamMember, { onFailure = 'fail' }: TurnOptions): Promise<void> {
  const turn = run.state.turns.find(({ agent }) => agent === member.name) ?? openTurn(run, member);
  run.traffic.taking += 1;
  try {
    completeTurn(run, turn, await converse(run, turn, member));
  } catch (error) {
    if (onFailure === 'fail' || !isTurnFailure(error)) throw error;
    recordFailure(run, turn, error);
  } finally {
    run.traffic.taking -= 1;
  }
}

/** What a model said, and where it is in the transcript. */
type Reply = CallModelOutput & { position: number };

async function converse(run: AnyRun, turn: OpenTurn, member: TeamMember): Promise<Reply> {
  for (;;) {
    await boundary(run, turn);
    const mustAnswer = turn.modelCalls >= member.maxToolRounds;
    const reply = await askModel(run, turn, member, mustAnswer);
    const calls = callsOf(reply.message);
    if (calls.length === 0 || mustAnswer) return reply;
    await callTools(run, turn, reply, calls);
  }
}

async function askModel(run: AnyRun, turn: OpenTurn, member: TeamMember, mustAnswer: boolean): Promise<Reply> {
  const call = turn.modelCalls + 1;
  const step = beginStep(run, `${turn.ordinal}/${call}`);
  const summary = `${turn.agent}: turn ${turn.ordinal}, model call ${call}`;
  showDetails(run, summary);
  const output = await run.outbox
    .along((base) =>
      callModel(run.state.settings.times.model, { summary, ...(member.modelQueue && { taskQueue: member.modelQueue }) })({
        ...base,
        step,
        turn: turn.ordinal,
        agent: turn.agent,
        team: run.state.team.id,
        transcript: run.transcript.ref(),
        start: turn.start,
        ...(mustAnswer && { mustAnswer }),
      }),
    )
    .catch((error: unknown) => {
      throw stepFailure(error, 'Model.Unavailable', `${summary} (step ${step})`);
    });
  run.transcript.advance(output.head);
  run.state.usage = addUsage(run.state.usage, output.reply.usage);
  turn.modelCalls = call;
  completeStep(run, step, output);
  return { ...output, position: appendReply(run, turn, output, call === 1) };
}

function appendReply(run: AnyRun, turn: OpenTurn, output: CallModelOutput, isFirst: boolean): number {
  const { message, reply, blob, cut, rawArguments } = output;
  return run.transcript.append({
    message,
    turn: turn.ordinal,
    // A reply on the way, with its calls, is the agent's own business.
    ...(callsOf(message).length > 0 && { audience: [turn.agent] }),
    ...(isFirst && { opens: opening(turn) }),
    reply,
    ...(rawArguments && { rawArguments }),
    ...(blob && { blob }),
    ...(cut && { cut }),
  });
}

function openTurn(run: AnyRun, member: TeamMember): OpenTurn {
  const { limits } = run.state;
  if (limits.turns !== undefined && run.state.rounds >= limits.turns) {
    run.stop('stopped', 'limit.turns', `The limit of ${limits.turns} turns was reached.`);
    run.throwIfStopped();
  }
  const ordinal = run.state.lastTurn + 1;
  const said = run.state.unanswered;
  const turn: OpenTurn = {
    id: said?.id ?? `turn-${ordinal}`,
    ordinal,
    agent: member.name,
    start: run.transcript.length,
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

function completeTurn(run: AnyRun, turn: OpenTurn, { message, blob, cut, reply, position }: Reply): void {
  const text = textOf(message);
  const artifact = cut && blob ? { artifact: blob } : {};
  // Whoever wants more than the event holds finds it there.
  const whole = blob && (cut || text.length > eventText) ? { artifact: blob } : {};
  run.state.turns = run.state.turns.filter((open) => open !== turn);
  run.state.output = { text, ...artifact };
  updateSaid(run, turn.id, { status: 'completed', reply: position });
  run.outbox.emit('turn.completed', {
    turnId: turn.id,
    text: text.slice(0, eventText),
    usage: reply.usage,
    ...whole,
    turn: turn.ordinal,
    agent: turn.agent,
  });
}

function recordFailure(run: AnyRun, turn: OpenTurn, error: unknown): void {
  const { type, message } = failureOf(error);
  run.state.turns = run.state.turns.filter((open) => open !== turn);
  run.transcript.append({
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
}

function updateSaid(run: AnyRun, id: string, change: Partial<(typeof run.state.said)[number]>): void {
  const said = run.state.said.find((message) => message.id === id);
  if (said) Object.assign(said, change);
}

function opening({ id, agent, start, at }: OpenTurn) {
  return { id, agent, start, at };
}

/** A typed failure of a step; not a cancellation, a stop, a continue-as-new or a bug. */
function isTurnFailure(error: unknown): boolean {
  return (
    !isCancellation(error) && !(error instanceof RunStopped) && failureOf(error).type in failures && failureOf(error).type !== 'Run.Failed'
  );
}
