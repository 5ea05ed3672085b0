/** One call of a tool: how it is carried out, and what its agent is told. */
import { ActivityFailure, isCancellation } from '@temporalio/workflow';
import { asText, cutText } from '../../contract/cut-text.js';
import { failureOf } from '../../contract/failure.js';
import type { Json, JsonObject } from '../../contract/json.js';
import type { FunctionCall, Message } from '../../contract/message.js';
import { jsonBytes, sizes } from '../../contract/size.js';
import type { CallPolicy, CallToolInput, CallToolOutput } from '../../contract/step.js';
import type { OpenTurn, ToolRound } from '../../state/run-state.js';
import { callTool } from './activities.js';
import type { AnyRun } from './run.js';
import { beginStep, inBranch, recordStep } from './steps.js';

/** A call and its position in the reply. */
export interface OpenCall {
  call: FunctionCall;
  index: number;
}

/** Nobody knows whether it took effect. */
export interface Lost {
  lost: string;
}

/** Texts in events, in characters. */
const eventText = 8 * 1024;

/**
 * What a tool does wrong is told to the model; only cancellation is thrown.
 *
 * @param edited arguments that a person has put in place of the model's
 */
export async function runTool(
  run: AnyRun,
  turn: OpenTurn,
  reply: ToolRound['reply'],
  { call, index }: OpenCall,
  edited?: JsonObject,
): Promise<CallToolOutput | Lost> {
  const step = beginStep(run, placeOf(turn, index));
  const policy = policyIn(reply, index);
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
        call: edited ? { callId: call.callId, name: call.name, arguments: edited } : argumentsOf(reply, call, index),
        ...(raw !== undefined && { rawArguments: raw }),
        ...(edited && { edited: true as const }),
        idempotencyKey: `${run.state.conversationId}/${step}`,
      }),
    );
    recordStep(run, step, outcome);
    return outcome;
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    const lost = unknownOutcome(call, error);
    // The attempt that was lost could not tell watchers.
    return policy.onUnknownOutcome ? { lost } : decided(run, turn, { call, index }, { ok: false, result: lost });
  }
}

export function policyIn(reply: ToolRound['reply'], index: number): CallPolicy {
  return reply.policies?.[index] ?? {};
}

/** `turn/call/index` */
export function placeOf({ ordinal, modelCalls }: OpenTurn, index: number): string {
  return `${ordinal}/${modelCalls}/${index}`;
}

/** What became of a call without its tool: watchers are told here. */
export function decided(
  run: AnyRun,
  turn: OpenTurn,
  { call, index }: OpenCall,
  { ok, result }: { ok: boolean; result: Json },
): CallToolOutput {
  run.outbox.emit('tool.returned', {
    tool: call.name.slice(0, 100),
    callId: call.callId,
    ok,
    text: cutText(asText(result), eventText),
    step: inBranch(placeOf(turn, index), run.state.branch),
    turn: turn.ordinal,
    agent: turn.agent,
  });
  return { ok, message: toolMessage(turn, call, result) };
}

export function toolMessage({ agent }: OpenTurn, { callId }: FunctionCall, result: Json): Message {
  return { role: 'tool', authorName: agent, createdAt: new Date().toISOString(), contents: [{ $type: 'functionResult', callId, result }] };
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
