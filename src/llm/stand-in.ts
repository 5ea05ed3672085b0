/**
 * Speaks when no model is configured: an OpenAI-compatible server on this machine whose replies are computed from the request alone.
 * It extracts, outlines, writes, reviews, plans, chooses, hands over, calls tools and answers by counting words, and knows nothing of
 * the world.
 */
import { serveModel, type HttpModel, type HttpModelReply, type HttpModelRequest } from './http-model.js';
import { completedAsk } from './stand-in/asking.js';
import { callsFor } from './stand-in/deciding.js';
import { delegateOf, delegations } from './stand-in/delegating.js';
import { fill } from './stand-in/filling.js';
import { completionBeside, isMove, moveFor } from './stand-in/moves.js';
import { questionIn } from './stand-in/question.js';
import { answerQuestion } from './stand-in/questions.js';
import { everythingIn, wordsFor } from './stand-in/replying.js';
import { resultsIn, sceneOf, type Scene } from './stand-in/scene.js';
import { matterOf, talkOf, type Line } from './stand-in/talk.js';

export const standInModel = 'ostinato-stand-in';

/** For the terminal, wherever the stand-in speaks. */
export const standInNotice =
  'No model is configured, so a built-in stand-in speaks: it works on the words it is given and knows nothing else. Set OPENAI_API_KEY, or OPENAI_BASE_URL, to use a real one.';

export interface StandInOptions {
  /** @default a free one */
  port?: number;
  /** About how long a reply takes to be said, in milliseconds; 0 says it at once. @default 1500 */
  replyMs?: number;
}

/** Starts the stand-in. The same request always gets the same reply. */
export function startStandIn({ port, replyMs = 1500 }: StandInOptions = {}): Promise<HttpModel> {
  return serveModel((request) => paced(standInReply(request), replyMs), { ...(port !== undefined && { port }), models: [standInModel] });
}

/** What the stand-in says to a request. */
export function standInReply(request: HttpModelRequest): HttpModelReply {
  const { messages, outputSchema, maxOutputTokens } = request;
  const question = outputSchema && questionIn(messages, outputSchema);
  if (question) return { model: standInModel, ...cut(JSON.stringify(answerQuestion(question)), maxOutputTokens) };
  const lines = talkOf(messages);
  const scene = { ...sceneOf(matterOf(messages)), results: resultsIn(messages).filter(({ tool }) => !isMove(tool)) };
  const tools = request.toolChoice === 'none' ? [] : request.tools;
  if (tools.length > 0 && scene.results.length === 0) {
    const calls = callsIn(tools, scene, lines);
    if (calls) return { model: standInModel, ...calls };
  }
  const text = outputSchema
    ? JSON.stringify(fill(outputSchema, everythingIn(scene)))
    : wordsFor(scene, lines, tools) || 'There are no sentences here to work on.';
  const beside = completionBeside(text, tools, scene.instructions);
  return { model: standInModel, ...cut(text, maxOutputTokens), ...(beside && { calls: beside }) };
}

/** A move comes first: whoever hands over leaves the work to the other. */
function callsIn(tools: HttpModelRequest['tools'], scene: Scene, lines: Line[]): HttpModelReply | undefined {
  const { instructions, document } = scene;
  const move = moveFor(lines, tools, instructions);
  if (move) return move;
  const request = lines.filter(({ isOwn, kind }) => !isOwn && kind === 'words').at(-1)?.text ?? '';
  const others = tools.filter((tool) => !isMove(tool.name) && delegateOf(tool) === undefined);
  const calls = [
    ...callsFor(others, completedAsk(lines, scene.ask), instructions, document),
    ...delegations(tools, request, scene.ask, instructions),
  ];
  return calls.length > 0 ? { calls } : undefined;
}

function cut(text: string, maxTokens: number | undefined): HttpModelReply {
  const limit = maxTokens === undefined ? Infinity : maxTokens * 4;
  return text.length <= limit ? { text } : { text: text.slice(0, limit), finishReason: 'length' };
}

function paced(reply: HttpModelReply, replyMs: number): HttpModelReply {
  const words = (reply.text ?? '').split(/\s+/).length;
  return { ...reply, delayMs: Math.min(40, replyMs / words) };
}
