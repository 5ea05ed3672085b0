/** The calls of one reply, side by side. What a tool does wrong is told to the model; only cancellation ends the turn. */
import { ActivityFailure, condition, isCancellation } from '@temporalio/workflow';
import type { Control, NestedRun, TeamMember } from '../../contract/agent.js';
import { failureOf } from '../../contract/failure.js';
import type { Json } from '../../contract/json.js';
import { callsOf, type FunctionCall, type Message } from '../../contract/message.js';
import type { CallToolInput, CallToolOutput } from '../../contract/step.js';
import { jsonBytes, sizes } from '../../contract/size.js';
import type { OpenTurn, ToolRound } from '../../state/run-state.js';
import { callTool } from './activities.js';
import { isTurnFailure } from './failed-turn.js';
import { resultOf, startNested } from './nested.js';
import { takeOutput } from './nested-output.js';
import { sendPost } from './post.js';
import type { AnyRun } from './run.js';
import { beginStep, recordStep } from './steps.js';
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
  await startDelegates(run, turn, member, round, delegated);
  await whileSending(
    run,
    Promise.all(
      open
        .filter(({ call }) => !is(member.delegates, call) && !is(member.controls, call))
        .map(async ({ call, index }) => (round.outcomes[index] = await callOne(run, turn, round.reply, call, index))),
    ),
  );
  for (const { call, index } of delegated) round.outcomes[index] = await delegateOutcome(run, turn, round, call, index);
  const move = chooseMove(turn, member, calls, round);
  appendResults(run, turn, round, move);
  return move;
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

/** While tools run nobody waits for the runs beside them, but what these are told must reach them. */
async function whileSending(run: AnyRun, calls: Promise<unknown>): Promise<void> {
  let isOver = false;
  const done = calls.finally(() => (isOver = true));
  done.catch(() => undefined);
  while (!isOver && run.state.operations.length > 0) {
    await condition(() => isOver || run.state.post.length > 0);
    await sendPost(run);
  }
  await done;
}

async function callOne(run: AnyRun, turn: OpenTurn, reply: ToolRound['reply'], call: FunctionCall, index: number): Promise<CallToolOutput> {
  const step = beginStep(run, `${turn.ordinal}/${turn.modelCalls}/${index}`);
  const policy = reply.policies?.[index] ?? {};
  const summary = `${turn.agent}: turn ${turn.ordinal}, ${call.name}`.slice(0, 200);
  const raw = reply.rawArguments?.[call.callId];
  try {
    const outcome = await run.outbox.along((base) =>
      callTool(
        run.state.settings.times.tool,
        policy,
        summary,
      )({
        ...base,
        step,
        turn: turn.ordinal,
        agent: turn.agent,
        team: run.state.team.id,
        call: argumentsOf(reply, call, index),
        ...(raw !== undefined && { rawArguments: raw }),
        idempotencyKey: `${run.state.conversationId}/${step}`,
      }),
    );
    recordStep(run, step, outcome);
    return outcome;
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    const text = unknownOutcome(call, error);
    // The attempt that was lost could not tell watchers.
    run.outbox.emit('tool.returned', {
      tool: call.name.slice(0, 100),
      callId: call.callId,
      ok: false,
      text,
      step,
      turn: turn.ordinal,
      agent: turn.agent,
    });
    return { ok: false, message: toolMessage(turn, call, text) };
  }
}

/** Large arguments are in the store already, with the reply that holds them. */
function argumentsOf(reply: ToolRound['reply'], call: FunctionCall, index: number): CallToolInput['call'] {
  const { callId, name } = call;
  if (reply.blob && (reply.cut || jsonBytes(call.arguments) > sizes.inlineEntry))
    return { callId, name, from: { blob: reply.blob, index } };
  return { callId, name, arguments: call.arguments };
}

function unknownOutcome({ name }: FunctionCall, error: unknown): string {
  return `The tool "${name}" did not report a result, so it is not known whether it took effect: ${failureOf(error).message}`.slice(
    0,
    2000,
  );
}

function toolMessage({ agent }: OpenTurn, { callId }: FunctionCall, result: string): Message {
  return { role: 'tool', authorName: agent, createdAt: new Date().toISOString(), contents: [{ $type: 'functionResult', callId, result }] };
}
