import { Context } from '@temporalio/activity';
import { fail } from '../contract/failure.js';
import { callsOf, textOf, type Content, type Message } from '../contract/message.js';
import type { CallModelInput, CallModelOutput, NotYet } from '../contract/step.js';
import { isTooDeep } from '../contract/plain-json.js';
import type { FunctionRegistry } from '../functions/registry.js';
import type { ToolRegistry } from '../tools/registry.js';
import { cutText } from '../contract/cut-text.js';
import { runFunction } from './call-function.js';
import { modelCall, type ModelCallDeps } from './model-call.js';
import { policiesOf } from './policies.js';
import { toStepMessage } from '../store/step-message.js';

export interface CallModelDeps extends ModelCallDeps {
  tools: ToolRegistry;
  functions: FunctionRegistry;
}

/**
 * One model call. Its input holds no conversation, only where to read it; its output holds the reply and nothing else.
 * A repeated attempt asks the model again: only an attempt whose completion the server accepted is finished.
 */
export function createCallModel(deps: CallModelDeps) {
  const { store, tools, functions } = deps;
  return async function callModel(input: CallModelInput): Promise<CallModelOutput | NotYet> {
    const { attempt } = Context.current().info;
    const { agent, mustAnswer } = input;
    return await modelCall(deps, input, async ({ complete, events, storing, recorded, said, signal }) => {
      const response = await complete((request) => ({ ...request, ...(mustAnswer && { mustAnswer }) }));
      const { contents, rawArguments } = bounded(
        mustAnswer ? withoutCalls(response.message, agent) : response.message.contents,
        response.rawArguments,
      );
      const message: Message = { ...response.message, authorName: agent, createdAt: new Date().toISOString(), contents };
      const calls = callsOf(message);
      events.add({
        type: 'message.completed',
        text: textOf(message).slice(0, 8000),
        usage: response.facts.usage,
        finishReason: response.facts.finishReason,
        model: response.facts.model,
        ...(calls.length > 0 && { calls: calls.map(({ name }) => name) }),
      });
      const broken = new Set(Object.keys(rawArguments ?? {}));
      const policies = await policiesOf(tools, recorded, { calls, broken }, (name, given) =>
        runFunction(
          functions,
          { name, input: given, idempotencyKey: `${input.conversationId ?? input.firstRunId}/${input.step}/${name}` },
          signal,
          said,
        ),
      );
      const stepMessage = await toStepMessage(store.blobs, message);
      return {
        ...stepMessage,
        reply: response.facts,
        ...(rawArguments && { rawArguments }),
        ...(policies && { policies }),
        head: await storing,
        ...(attempt > 1 && { attempt }),
      };
    });
  };
}

/** Most calls of one reply, and what a model's broken arguments are cut to when they are shown to it again. */
const mostCalls = 128;
const rawLength = 4 * 1024;

/** Whatever a model writes has to fit into a history and through `JSON.stringify`. */
function bounded(contents: Content[], raw: { [callId: string]: string } = {}) {
  const broken = Object.entries(raw).map(([callId, text]): [string, string] => [callId, cutText(text, rawLength)]);
  if (contents.filter(({ $type }) => $type === 'functionCall').length > mostCalls) {
    throw fail('Model.Malformed', `The model made more than ${mostCalls} calls in one reply.`);
  }
  const checked = contents.map((content): Content => {
    if (content.$type !== 'functionCall' || !isTooDeep(content.arguments)) return content;
    broken.push([content.callId, '(arguments nested too deep to be used)']);
    return { ...content, arguments: {} };
  });
  return { contents: checked, ...(broken.length > 0 && { rawArguments: Object.fromEntries(broken) }) };
}

/** Some models call tools although they may not. Nobody would answer such a call. */
function withoutCalls({ contents }: Message, agent: string): Content[] {
  const words = contents.filter(({ $type }) => $type !== 'functionCall');
  if (words.some(({ $type }) => $type === 'text')) return words;
  throw fail('Model.Malformed', `"${agent}" used up its tool rounds and still calls tools instead of answering. Raise \`maxToolRounds\`?`, {
    final: true,
  });
}
