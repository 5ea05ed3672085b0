/** The calls of one reply, side by side. What a tool does wrong is told to the model; only cancellation ends the turn. */
import type { Control, NestedRun, TeamMember } from '../../contract/agent.js';
import type { QuestionOptions } from '../../contract/approval.js';
import { failureOf } from '../../contract/failure.js';
import type { Json } from '../../contract/json.js';
import { callsOf, type FunctionCall, type Message } from '../../contract/message.js';
import type { CallToolOutput } from '../../contract/step.js';
import type { OpenTurn, ToolRound } from '../../state/run-state.js';
import { approvalOf } from './approval.js';
import type { Step } from './asking.js';
import { Calls } from './calls.js';
import { isTurnFailure } from './failed-turn.js';
import { resultOf, startNested } from './nested.js';
import { takeOutput } from './nested-output.js';
import { questionOf } from './question.js';
import type { AnyRun } from './run.js';
import { beginStep } from './steps.js';
import { policyIn, toolMessage, type OpenCall } from './tool-call.js';
import { unknownOutcomeOf } from './unknown-outcome.js';
import { showDetails } from './visibility.js';

/** A move in the pattern that ended the turn. */
export type Move = { handoff: string; reason?: string } | { complete: true; summary: string };

/** Runs what has not been run yet. Ordinary calls come first, then those that take a run of their own, then the move, if there is one. */
export async function takeRound(run: AnyRun, turn: OpenTurn, member: TeamMember, round: ToolRound): Promise<Move | undefined> {
  const calls = callsOf(round.reply.message);
  showDetails(run, `${turn.agent}: turn ${turn.ordinal}, ${calls.map(({ name }) => name).join(', ')}`);
  const is = <T>(table: { [call: string]: T } | undefined, { name }: FunctionCall) => table && Object.hasOwn(table, name);
  const open = calls.map((call, index) => ({ call, index })).filter(({ index }) => !round.outcomes[index]);
  const delegated = open.filter(({ call }) => is(member.delegates, call));
  // Whoever has to be asked is asked before anything is awaited.
  const own = open
    .filter(({ call }) => !is(member.delegates, call) && !is(member.controls, call))
    .map((one): [OpenCall, Step] => [one, firstStep(run, turn, member, round, one)]);
  await startDelegates(run, turn, member, round, delegated);
  await new Calls(run, turn, round).finish(own);
  for (const { call, index } of delegated) round.outcomes[index] = await delegateOutcome(run, turn, round, call, index);
  const move = chooseMove(turn, member, calls, round);
  appendResults(run, turn, round, move);
  return move;
}

function firstStep(run: AnyRun, turn: OpenTurn, { questions }: TeamMember, round: ToolRound, open: OpenCall): Step {
  const { name } = open.call;
  if (questions && Object.hasOwn(questions, name)) return questionOf(run, turn, round, open, questions[name] as QuestionOptions);
  if (round.unknown?.[open.index]) return unknownOutcomeOf(run, turn, round, open);
  const { approval } = policyIn(round.reply, open.index);
  return approval ? approvalOf(run, turn, round, open, approval) : { runs: {} };
}

/** The first move wins; the others are told so. */
function chooseMove(turn: OpenTurn, { controls }: TeamMember, calls: readonly FunctionCall[], round: ToolRound): Move | undefined {
  let chosen: Move | undefined;
  for (const [index, call] of calls.entries()) {
    const control = controls && Object.hasOwn(controls, call.name) ? controls[call.name] : undefined;
    if (!control) continue;
    const text = chosen ? `Ignored: ${told(chosen)}` : told((chosen = moveOf(control, call)));
    round.outcomes[index] = { ok: true, message: toolMessage(turn, call, text) };
  }
  return chosen;
}

function moveOf(control: Control, { arguments: given }: FunctionCall): Move {
  const text = (name: string) => (typeof given[name] === 'string' ? given[name].slice(0, 8000) : '');
  if ('complete' in control) return { complete: true, summary: text('summary') };
  return { handoff: control.handoff, ...(text('reason') !== '' && { reason: text('reason') }) };
}

function told(move: Move): string {
  return 'handoff' in move ? `the conversation goes over to ${move.handoff}.` : 'the task is done.';
}

function appendResults(run: AnyRun, turn: OpenTurn, { outcomes }: ToolRound, move: Move | undefined): void {
  for (const [index, outcome] of outcomes.entries()) {
    const { message, blob, cut } = outcome as CallToolOutput;
    const ends = move && index === outcomes.length - 1;
    run.transcript.append({
      message,
      turn: turn.ordinal,
      audience: [turn.agent],
      ...(ends && { ends: 'handoff' in move ? { handoff: move.handoff } : { completed: true } }),
      ...(blob && { blob }),
      ...(cut && { cut }),
    });
  }
}

async function startDelegates(
  run: AnyRun,
  turn: OpenTurn,
  member: TeamMember,
  round: ToolRound,
  delegated: { call: FunctionCall; index: number }[],
): Promise<void> {
  for (const { call, index } of delegated) {
    const nested = member.delegates?.[call.name];
    const task = nested && round.operations[index] === undefined ? taskOf(nested, turn, call) : undefined;
    if (!nested || task === undefined) continue;
    const refuse = (text: string) => (round.outcomes[index] = { ok: false, message: toolMessage(turn, call, text) });
    if (run.isStopped) {
      refuse(`${nested.name} was not asked: the run is about to end.`);
      continue;
    }
    const step = beginStep(run, `${turn.ordinal}/${turn.modelCalls}/${index}`);
    try {
      round.operations[index] = (await startNested(run, nested, step, { task })).id;
    } catch (error) {
      if (!isTurnFailure(error)) throw error;
      refuse(failureOf(error).message);
    }
  }
}

/** `undefined` when nothing was said. */
function taskOf({ takes }: NestedRun, { agent }: OpenTurn, call: FunctionCall): Message | Json | undefined {
  if (takes === 'arguments') return call.arguments;
  const { message } = call.arguments;
  if (typeof message !== 'string' || message.trim() === '') return undefined;
  return takes === 'text' ? message : { role: 'user', authorName: agent, contents: [{ $type: 'text', text: message }] };
}

async function delegateOutcome(run: AnyRun, turn: OpenTurn, round: ToolRound, call: FunctionCall, index: number): Promise<CallToolOutput> {
  const known = round.outcomes[index];
  if (known) return known;
  const refusal = (text: string): CallToolOutput => ({ ok: false, message: toolMessage(turn, call, text) });
  const operation = run.state.operations.find(({ id }) => id === round.operations[index]);
  if (!operation) return refusal(`The arguments of "${call.name}" are wrong: it takes { "message": "…" }. Call it again.`);
  try {
    const { output, outputArtifact: artifact } = await resultOf(run, operation, turn);
    const { callId } = call;
    return { ok: true, ...(await takeOutput(run, { agent: turn.agent, callId, output, ...(artifact && { artifact }) })) };
  } catch (error) {
    if (!isTurnFailure(error)) throw error;
    return refusal(`${call.name} failed: ${failureOf(error).message}`.slice(0, 2000));
  }
}
