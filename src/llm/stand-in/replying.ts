/** What the stand-in says in words: as part of a conversation, to a follow-up, or about the text that it is given. */
import { completedAsk, questionFor } from './asking.js';
import { conclude } from './concluding.js';
import { choose, optionsIn, type OfferedTool } from './deciding.js';
import { answerWith } from './delegating.js';
import { discuss } from './discussing.js';
import { sharedWords } from './fitting.js';
import { intentOf, lengthIn, type Intent } from './intent.js';
import { contentWords, sentencesOf } from './reading.js';
import { isReviewer, review, revise, reviseFor } from './reviewing.js';
import { isTask, type Scene } from './scene.js';
import { noText, partOf, type Line } from './talk.js';
import { answer, atMost, draft, extract, outline, shorten } from './writing.js';

/** A follow-up is taken at its word; otherwise the instructions say what the agent does, or else the task does. */
export function wordsFor(scene: Scene, lines: Line[], tools: OfferedTool[]): string {
  const { instructions } = scene;
  const intent = intentOf(instructions);
  const end = conclude(lines, intent);
  if (end !== undefined) return end;
  const found = scene.results.map(({ tool, text }) => ({ tool, text: readable(text) }));
  if (found.some(({ tool }) => tool.startsWith('ask_'))) return answerWith(found, intent, lengthIn(instructions));
  const results = found.map(({ tool, text }) => `${tool}: ${text}`).join('\n');
  if (results !== '' && !scene.isLong) return results;
  const said = inAConversation(scene, lines, tools) ?? (scene.isFollowUp ? followUp(scene, lines) : atWork(scene, lines));
  return results === '' ? said : `${said}\n\n${results}`;
}

/** What the words of colleagues call for, or what has to be asked first. */
function inAConversation(scene: Scene, lines: Line[], tools: OfferedTool[]): string | undefined {
  const { instructions, document, ask } = scene;
  if (lines.at(-1)?.kind === 'notice') return 'Nothing is left to add.';
  if (scene.results.length === 0) {
    const question = questionFor(tools, completedAsk(lines, ask), document);
    if (question !== undefined) return question;
  }
  const answered = isReviewer(instructions) ? review(instructions, lines, document) : revise(lines);
  if (answered !== undefined) return answered;
  const hasSpoken = lines.some(({ isOwn }) => isOwn);
  const isIdle = intentOf(instructions) === undefined && (hasSpoken || document === '' || document === ask);
  return isIdle ? discuss(instructions, lines, document) : undefined;
}

function atWork(scene: Scene, lines: Line[]): string {
  return perform(intentOf(scene.instructions), scene) ?? perform(intentOf(scene.ask), scene) ?? byDefault(scene, partOf(lines));
}

function followUp(scene: Scene, lines: Line[]): string {
  const { ask, earlier, instructions } = scene;
  const intent = intentOf(ask);
  if (scene.isQuestion && intent !== 'shorten') return answerFrom(ask, earlier, instructions);
  return perform(intent, scene) ?? reviseFor(ask, lines) ?? noted(scene, lines);
}

function byDefault(scene: Scene, part?: string): string {
  if (scene.isQuestion)
    return answerFrom(
      scene.ask,
      [scene.document].filter((text) => text !== scene.ask),
      scene.instructions,
    );
  if (scene.isLong) return shorten(scene.draft || scene.document);
  if (scene.ask === '') return 'Nothing was said yet. Give me a text to work on.';
  return scene.isTask
    ? (knownTo(scene.instructions, scene.ask) ??
        `${noText} What was asked: “${scene.ask}”${part === undefined ? '' : `\nMy part in it: ${part}.`}`)
    : noted(scene, []);
}

/** The answer may stand in the instructions. */
function answerFrom(question: string, sources: string[], instructions: string): string {
  const asked = [...new Set(contentWords(question))];
  const known = knownTo(instructions, question);
  if (known !== undefined && 2 * sharedWords(asked, known).length >= asked.length) return known;
  const found = answer(question, sources);
  return found.startsWith('Nothing that was said here answers') ? (known ?? found) : found;
}

function noted({ ask, instructions }: Scene, lines: Line[]): string {
  const own = lines.filter(({ isOwn, text }) => isOwn && text !== '').at(-1)?.text ?? '';
  const question = own.endsWith('?') ? sentencesOf(own).at(-1) : undefined;
  const known = knownTo(instructions, ask);
  return [question === undefined ? `Noted: ${ask}` : `Noted, to “${question}”: ${ask}`, known].filter(Boolean).join('\n');
}

/** Facts in instructions, such as "Refunds take five days." What tells the agent to do something is none. */
function knownTo(instructions: string, ask: string): string | undefined {
  const heard = [...new Set(contentWords(ask))];
  const facts = sentencesOf(instructions).filter(
    (sentence) =>
      !/^(?:You|Your|If|When|Whenever|Never|Always|Only|Be|Do|Don['’]t|For|Please)\b|\b(?:you|your)\b/i.test(sentence) && !isTask(sentence),
  );
  const fitting = facts.filter((fact) => sharedWords(heard, fact).length > 0);
  return fitting.length > 0 ? fitting.slice(0, 2).join(' ') : undefined;
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

export function everythingIn(scene: Scene): string {
  return [scene.document, scene.ask, ...scene.results.map(({ text }) => readable(text))].filter(Boolean).join('\n\n');
}
