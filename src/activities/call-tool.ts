import { Context, log as logger } from '@temporalio/activity';
import { z } from 'zod';
import { fail } from '../contract/failure.js';
import type { Json, JsonObject } from '../contract/json.js';
import { callsOf, type Message } from '../contract/message.js';
import { show } from '../contract/problems.js';
import { jsonBytes, sizes } from '../contract/size.js';
import type { CallToolInput, CallToolOutput } from '../contract/step.js';
import type { BlobStore, Store } from '../store/store.js';
import type { Tool, ToolContext } from '../tools/define-tool.js';
import type { ToolRegistry } from '../tools/registry.js';
import { asText, cutText } from '../contract/cut-text.js';
import { StepEvents } from './deltas.js';
import { withHeartbeat } from './heartbeat.js';
import { publishEvents } from './publish.js';
import { reasonOf } from './reason-of.js';
import { RunLog } from './run-log.js';
import { sparingly } from './sparingly.js';
import { toStepMessage } from '../store/step-message.js';
import type { TeamCache } from './team-cache.js';
import { fitResult, toJson } from './tool-result.js';

export interface CallToolDeps {
  store: Store;
  teams: TeamCache;
  tools: ToolRegistry;
  /** Longest result that a model is shown, in characters. */
  resultLimit?: number;
}

/** What the model is told. */
interface Outcome {
  ok: boolean;
  result: Json;
}

/** Texts in events, in characters. */
const eventText = 8 * 1024;

/**
 * One tool call. Whatever the model or the tool does wrong is a result that the model sees; only cancellation, a lost store and a
 * tool that asks for another attempt are failures. A repeated attempt has the same idempotency key.
 */
export function createCallTool({ store, teams, tools, resultLimit = sizes.entry }: CallToolDeps) {
  return async function callTool(input: CallToolInput): Promise<CallToolOutput> {
    const { info } = Context.current();
    const { step, turn, agent, call } = input;
    const events = new StepEvents(new RunLog(store.events, input), { step, turn, agent, attempt: info.attempt });
    const about = { tool: cutText(call.name, 100), callId: call.callId };

    return await withHeartbeat(async (signal, beat) => {
      await publishEvents(store.events, input);
      try {
        const given = await argumentsOf(store.blobs, call);
        if (info.attempt > 1) events.add({ type: 'step.restarted' });
        events.add({ type: 'tool.called', ...about, arguments: forEvent(input.rawArguments ?? given) });
        const progress = sparingly((value: unknown) => {
          const json = toJson(value);
          if ('problem' in json) return;
          const shown = forEvent(json.value);
          events.add({ type: 'tool.progressed', ...about, progress: shown });
          beat(shown);
        });
        const found = await findTool(input, teams, tools);
        const using = 'tool' in found ? use(found.tool, input, given, { signal, progress: progress.offer }) : found;
        const outcome = await Promise.resolve(using).finally(progress.stop);
        const told = input.edited ? { argumentsChangedTo: given, by: 'a person', result: outcome.result } : outcome.result;
        const result = await fitResult(store.blobs, told, resultLimit);
        const message: Message = {
          role: 'tool',
          authorName: agent,
          createdAt: new Date().toISOString(),
          contents: [{ $type: 'functionResult', callId: call.callId, result }],
        };
        events.add({ type: 'tool.returned', ...about, ok: outcome.ok, text: cutText(asText(result), eventText) });
        return {
          ok: outcome.ok,
          ...(await toStepMessage(store.blobs, message)),
          ...(info.attempt > 1 && { attempt: info.attempt }),
        };
      } finally {
        await events.flush();
      }
    });
  };
}

/** The tool that the agent had when its run started, if this worker still has it. */
async function findTool(
  { team, agent, call, rawArguments }: CallToolInput,
  teams: TeamCache,
  tools: ToolRegistry,
): Promise<{ tool: Tool } | Outcome> {
  const recorded = await teams.loadRecordedAgent(team, agent);
  const names = recorded.tools.map(({ name }) => name);
  if (!names.includes(call.name)) {
    return refused(
      `There is no tool ${show(call.name)}. ${names.length > 0 ? `You may use: ${names.join(', ')}.` : 'You have no tools: answer without.'}`,
    );
  }
  const tool = tools.get(call.name);
  if (!tool) {
    logger.warn('A run asks for a tool that this worker does not have. Register it, or let the run end.', { tool: call.name, agent });
    return refused(`The tool "${call.name}" is not available at the moment. Go on without it.`);
  }
  if (rawArguments !== undefined) {
    return refused(
      `The arguments of "${call.name}" are not a JSON object, so it was not called. You wrote: ${cutText(rawArguments, 500)}\nCall it again with one JSON object that fits its schema.`,
    );
  }
  return { tool };
}

async function use(tool: Tool, input: CallToolInput, given: JsonObject, watch: Pick<ToolContext, 'signal' | 'progress'>): Promise<Outcome> {
  const { attempt, retryPolicy, workflowExecution } = Context.current().info;
  try {
    const parsed = await z.safeParseAsync(tool.input, given);
    if (!parsed.success)
      return refused(
        `The arguments of "${tool.name}" are wrong, so it was not called:\n${issuesOf(parsed.error)}\nCall it again with arguments that fit its schema.`,
      );
    const returned = await tool.run(parsed.data as never, {
      idempotencyKey: input.idempotencyKey,
      attempt,
      runId: workflowExecution?.workflowId ?? '',
      agent: input.agent,
      callId: input.call.callId,
      ...watch,
    });
    const json = toJson(returned);
    if ('value' in json) return { ok: true, result: json.value };
    logger.warn('A tool returned something that is not JSON.', { tool: tool.name, problem: json.problem });
    return refused(`The tool "${tool.name}" ran, but what it returned cannot be shown: ${json.problem}.`);
  } catch (error) {
    if (watch.signal.aborted) throw error;
    const reason = reasonOf(error);
    logger.warn('A tool failed.', { tool: tool.name, attempt, error });
    const most = typeof tool.retry === 'number' ? Math.min(tool.retry, retryPolicy?.maximumAttempts || tool.retry) : 1;
    if (attempt < most && !isFinal(error))
      throw fail('Tool.Unavailable', `The tool "${tool.name}" failed (attempt ${attempt} of ${most}): ${reason}`);
    return refused(`The tool "${tool.name}" failed: ${reason}`);
  }
}

/** Large arguments are read from the reply that holds them. */
async function argumentsOf(blobs: BlobStore, call: CallToolInput['call']): Promise<JsonObject> {
  if ('arguments' in call) return call.arguments;
  const { blob, index } = call.from;
  const text = await blobs.get(blob);
  if (text === undefined)
    throw fail('Store.Unavailable', `The store has no message ${blob}, which holds the arguments of "${call.name}". Is it the same store?`);
  let found;
  try {
    found = callsOf(JSON.parse(text) as Message)[index];
  } catch (cause) {
    throw fail('State.Unreadable', `The message ${blob}, which holds the arguments of "${call.name}", is damaged.`, { cause });
  }
  if (found?.callId !== call.callId || found.name !== call.name) {
    throw fail('State.Unreadable', `The message ${blob} does not hold the call ${show(call.callId)} of "${call.name}" at ${index}.`);
  }
  return found.arguments;
}

function refused(result: string): Outcome {
  return { ok: false, result };
}

function issuesOf({ issues }: z.core.$ZodError): string {
  const lines = issues
    .slice(0, 20)
    .map(({ path, message }) => `- ${path.length > 0 ? `${z.core.toDotPath(path)}: ` : ''}${cutText(message, 300)}`);
  return [...lines, ...(issues.length > 20 ? [`- and ${issues.length - 20} more`] : [])].join('\n');
}

/** A tool may throw an `ApplicationFailure.nonRetryable`: then no other attempt will help. */
function isFinal(error: unknown): boolean {
  return error instanceof Error && (error as { nonRetryable?: unknown }).nonRetryable === true;
}

function forEvent(value: Json): Json {
  return jsonBytes(value) <= eventText ? value : cutText(asText(value), eventText);
}
