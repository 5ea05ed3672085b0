/** The calls of one reply, side by side. What a tool does wrong is told to the model; only cancellation ends the turn. */
import { ActivityFailure, isCancellation } from '@temporalio/workflow';
import { failureOf } from '../../contract/failure.js';
import type { FunctionCall, Message } from '../../contract/message.js';
import type { CallModelOutput, CallToolInput, CallToolOutput } from '../../contract/step.js';
import { jsonBytes, sizes } from '../../contract/size.js';
import type { OpenTurn } from '../../state/run-state.js';
import { callTool } from './activities.js';
import type { AnyRun } from './run.js';
import { beginStep, completeStep } from './steps.js';
import { showDetails } from './visibility.js';

export async function callTools(run: AnyRun, turn: OpenTurn, reply: CallModelOutput, calls: FunctionCall[]): Promise<void> {
  showDetails(run, `${turn.agent}: turn ${turn.ordinal}, ${calls.map(({ name }) => name).join(', ')}`);
  const outcomes = await Promise.all(calls.map((call, index) => callOne(run, turn, reply, call, index)));
  for (const { message, blob, cut } of outcomes) {
    run.transcript.append({
      message,
      turn: turn.ordinal,
      audience: [turn.agent],
      ...(blob && { blob }),
      ...(cut && { cut }),
    });
  }
}

async function callOne(run: AnyRun, turn: OpenTurn, reply: CallModelOutput, call: FunctionCall, index: number): Promise<CallToolOutput> {
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
    completeStep(run, step, outcome);
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
function argumentsOf(reply: CallModelOutput, call: FunctionCall, index: number): CallToolInput['call'] {
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
