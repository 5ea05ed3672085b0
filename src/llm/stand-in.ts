/**
 * Speaks when no model is configured: an OpenAI-compatible server on this machine whose replies are computed from the request alone.
 * It extracts, outlines, writes, shortens, chooses, calls tools and answers by counting words, and knows nothing of the world.
 */
import { serveModel, type HttpModel, type HttpModelReply, type HttpModelRequest } from './http-model.js';
import { callsFor, choose, optionsIn } from './stand-in/deciding.js';
import { fill } from './stand-in/filling.js';
import { sceneOf, type Scene } from './stand-in/scene.js';
import { answer, atMost, draft, extract, outline, shorten, type Length } from './stand-in/writing.js';

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
  const scene = sceneOf(request.messages);
  if (request.tools.length > 0 && request.toolChoice !== 'none' && scene.results.length === 0) {
    const calls = callsFor(request.tools, scene.ask, scene.instructions, scene.document);
    if (calls.length > 0) return { model: standInModel, calls };
  }
  const text = request.outputSchema ? JSON.stringify(fill(request.outputSchema, everythingIn(scene))) : wordsFor(scene) || nothing;
  return { model: standInModel, ...cut(text, request.maxOutputTokens) };
}

const nothing = 'There are no sentences here to work on.';

type Intent = 'choose' | 'extract' | 'outline' | 'write' | 'shorten';

const intents: [Intent, RegExp][] = [
  ['choose', /\b(?:classif\w*|rout(?:e|er|es|ing)|triage\w*|choose|pick|select|decide|label)\b/i],
  ['extract', /\b(?:analy[sz]\w*|facts?|extract\w*|findings|research\w*|key points|bullet points)\b/i],
  ['outline', /\b(?:outline\w*|structure|table of contents|plan(?:ner|s)?)\b/i],
  ['write', /\b(?:writ(?:e|er|es|ing)|draft\w*|article|author|compose\w*|blog|essay|report|story)\b/i],
  ['shorten', /\b(?:edit(?:or|s|ing)?|short(?:en\w*|er)|polish\w*|tighten\w*|trim\w*|condens\w*|summar\w*|concise|brief\w*|tl;dr)\b/i],
];

/** A follow-up is taken at its word; otherwise the instructions say what the agent does, or else the task does. */
function wordsFor(scene: Scene): string {
  const results = scene.results.map(({ tool, text }) => `${tool}: ${readable(text)}`).join('\n');
  if (results !== '' && !scene.isLong) return results;
  const said = scene.isFollowUp
    ? followUp(scene)
    : (perform(intentOf(scene.instructions), scene) ?? perform(intentOf(scene.ask), scene) ?? byDefault(scene));
  return results === '' ? said : `${said}\n\n${results}`;
}

function followUp(scene: Scene): string {
  const intent = intentOf(scene.ask);
  if (scene.isQuestion && intent !== 'shorten') return answer(scene.ask, scene.earlier);
  return perform(intent, scene) ?? `Noted: ${scene.ask}`;
}

function byDefault(scene: Scene): string {
  if (scene.isQuestion)
    return answer(
      scene.ask,
      [scene.document].filter((text) => text !== scene.ask),
    );
  if (scene.isLong) return shorten(scene.draft || scene.document);
  if (scene.ask === '') return 'Nothing was said yet. Give me a text to work on.';
  return scene.isTask
    ? `There is no text here to work on, and a stand-in knows nothing of the world. What was asked: “${scene.ask}”`
    : `Noted: ${scene.ask}`;
}

/** `undefined` when there is nothing to do it with. */
function perform(intent: Intent | undefined, scene: Scene): string | undefined {
  const length = lengthIn(`${scene.instructions}\n${scene.ask}`);
  const { document, draft: latest } = scene;
  if (intent === 'choose')
    return choose(optionsIn(scene.instructions).length > 0 ? optionsIn(scene.instructions) : optionsIn(scene.ask), scene.ask || document)
      ?.name;
  if (document === '' && latest === '') return undefined;
  if (intent === 'extract') return extract(document || latest, length);
  if (intent === 'outline') return outline(document || latest);
  if (intent === 'write') return atMost(length.words, draft(document || latest, latest));
  if (intent === 'shorten') return shorten(latest || document, length);
  return undefined;
}

/** The first of its words counts: "an editor who shortens what the writer drafted" edits. Choosing needs options to choose from. */
function intentOf(text: string): Intent | undefined {
  const found = intents
    .filter(([intent]) => intent !== 'choose' || optionsIn(text).length > 0)
    .map(([intent, shape]) => ({ intent, at: text.search(shape) }))
    .filter(({ at }) => at >= 0);
  return found.sort((a, b) => a.at - b.at)[0]?.intent;
}

const numbers: { [word: string]: number } = {
  one: 1,
  a: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
};

function lengthIn(text: string): Length {
  const asked = (unit: string) => {
    const digits = new RegExp(`\\b(\\d+|${Object.keys(numbers).join('|')})\\s+(?:\\w+\\s+)?(?:${unit})s?\\b`, 'i')
      .exec(text)?.[1]
      ?.toLowerCase();
    return digits === undefined ? undefined : (numbers[digits] ?? Number(digits));
  };
  const [sentences, words] = [asked('sentence|bullet|fact|point'), asked('word')];
  return { ...(sentences && { sentences }), ...(words && words > 4 && { words }) };
}

/** JSON in words. */
function readable(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return text;
    return Object.entries(value)
      .map(([key, field]) => `${key} ${typeof field === 'string' ? field : JSON.stringify(field)}`)
      .join(', ');
  } catch {
    return text;
  }
}

function everythingIn(scene: Scene): string {
  return [scene.document, scene.ask, ...scene.results.map(({ text }) => readable(text))].filter(Boolean).join('\n\n');
}

function cut(text: string, maxTokens: number | undefined): HttpModelReply {
  const limit = maxTokens === undefined ? Infinity : maxTokens * 4;
  return text.length <= limit ? { text } : { text: text.slice(0, limit), finishReason: 'length' };
}

function paced(reply: HttpModelReply, replyMs: number): HttpModelReply {
  const words = (reply.text ?? '').split(/\s+/).length;
  return { ...reply, delayMs: Math.min(40, replyMs / words) };
}
