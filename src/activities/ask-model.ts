import { Context } from '@temporalio/activity';
import { problemsOfJson } from '../contract/check-json.js';
import { extractJson } from '../contract/extract-json.js';
import { failureOf } from '../contract/failure.js';
import type { Json, JsonObject } from '../contract/json.js';
import { textOf } from '../contract/message.js';
import { jsonBytes, sizes } from '../contract/size.js';
import type { AskModelInput, AskModelOutput, NotYet } from '../contract/step.js';
import type { HeardMessage, ModelRequest, ModelResponse } from '../llm/provider.js';
import { cutText } from '../contract/cut-text.js';
import { modelCall, type ModelCall, type ModelCallDeps } from './model-call.js';

/** What of an answer that cannot be used is told, in characters. */
const answerText = 16_000;

/**
 * A question whose answer is JSON. One that does not have the form asked for is an outcome, not a failure: the workflow asks again.
 * A repeated attempt asks the model again.
 */
export function createAskModel(deps: ModelCallDeps) {
  return async function askModel(input: AskModelInput): Promise<AskModelOutput | NotYet> {
    const { attempt } = Context.current().info;
    return await modelCall(deps, input, async (call) => {
      const { message, facts } = await askFor(call, input);
      const text = textOf(message);
      const { usage, finishReason, model } = facts;
      call.events.add({ type: 'message.completed', text: text.slice(0, 8000), usage, finishReason, model });
      return { outcome: read(text, input.schema), reply: facts, head: await call.storing, ...(attempt > 1 && { attempt }) };
    });
  };
}

/** Some endpoints know no structured output, and refuse the request: then the words of the question have to do. */
async function askFor({ complete }: ModelCall, input: AskModelInput): Promise<ModelResponse> {
  const messages = asked(input);
  const form = ({ outputSchema: _, ...request }: ModelRequest): ModelRequest => ({
    ...request,
    tools: [],
    messages: [...request.messages, ...messages],
  });
  try {
    return await complete((request) => ({ ...form(request), outputSchema: input.schema }));
  } catch (error) {
    if (!isFormRefused(error)) throw error;
    return await complete(form);
  }
}

function isFormRefused(error: unknown): boolean {
  const { type, details } = failureOf(error);
  const status = (details?.[0] as { status?: unknown } | undefined)?.status;
  return type === 'Model.Refused' && (status === 400 || status === 404 || status === 422);
}

function asked({ agent, question, schema, feedback = [] }: AskModelInput): HeardMessage[] {
  const say = (role: string, text: string, authorName?: string): HeardMessage => ({
    message: { role, ...(authorName && { authorName }), contents: [{ $type: 'text', text }] },
  });
  return [
    say('user', `${question}\n\n${howToAnswer(schema)}`),
    ...feedback.flatMap(({ answer, problem }) => [
      say('assistant', answer, agent),
      say('user', `That cannot be used: ${problem}\nAnswer again. ${howToAnswer(schema)}`),
    ]),
  ];
}

function howToAnswer(schema: JsonObject): string {
  const kind = schema.type === undefined || schema.type === 'object' ? 'one JSON object' : 'JSON';
  return `Answer with ${kind} and nothing else. It has to fit this JSON schema:\n${JSON.stringify(schema)}`;
}

function isObject(value: Json | undefined): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function read(text: string, schema: JsonObject): AskModelOutput['outcome'] {
  const answer = cutText(text, answerText);
  const found = extractJson(text);
  // A list in a sentence, such as "[1]", is none of the JSON that was asked for.
  const value = schema.type === 'object' && !isObject(found) ? undefined : found;
  if (value === undefined)
    return {
      answer,
      problem: `There is no JSON${found === undefined ? '' : ' object'} in it.`,
      ...(answer.trim() !== '' && { plain: true }),
    };
  if (jsonBytes(value) > sizes.entry) return { answer, problem: `It is larger than ${sizes.entry / 1024} KiB.` };
  const problems = problemsOfJson(value, schema);
  if (problems.length === 0) return { value };
  return { answer, problem: problems.map(({ path, message }) => `${path || 'it'} ${message}`).join('; ') };
}
