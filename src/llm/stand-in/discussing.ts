/** Agents who have nothing to do but talk: each takes up what was said last and adds what nobody has said yet. */
import { common } from './deciding.js';
import { contentWords, keySentences, read, sentencesOf } from './reading.js';
import { inShort, noText, type Line } from './talk.js';

/** `undefined` when the last words are not those of a colleague. */
export function discuss(instructions: string, lines: Line[], document: string): string | undefined {
  const words = lines.filter(({ kind, text }) => kind === 'words' && text !== '');
  const last = words.at(-1);
  if (!last || last.isOwn || last.name === '') return undefined;
  // Who hears one message and nothing else is asked to do something, not to discuss it.
  if (words.length === 1) return undefined;
  // A question to an agent that has spoken already may be a person's, and is answered.
  if (/\?\s*$/.test(last.text) && words.some(({ isOwn }) => isOwn)) return undefined;
  const said = words.filter(({ name, isOwn }) => name !== '' || isOwn).map(({ text }) => text);
  const isNew = (sentence: string) => !said.some((text) => text.includes(sentence));
  const added = mostFitting(sentencesOf(document.slice(0, 50_000)).filter(isNew), instructions) ?? positionsIn(instructions).find(isNew);
  if (added === undefined) return 'I have nothing to add.';
  const point = pointOf(last.text);
  return point === undefined ? added : `${last.name} says: “${inShort(point, 120)}” ${added}`;
}

function mostFitting(sentences: string[], instructions: string): string | undefined {
  const wanted = new Set(contentWords(instructions));
  const [first, ...rest] = sentences;
  if (first === undefined) return undefined;
  return rest.reduce((best, sentence) => (common(sentence, wanted) > common(best, wanted) ? sentence : best), first);
}

/** "You see the good in everything." is what such an agent has to say. */
function positionsIn(instructions: string): string[] {
  return sentencesOf(instructions).flatMap((sentence) => {
    const [, verb = '', rest = ''] =
      /^You (?!(?:are|answer|reply|say|speak|write|respond|use|call|give|keep|end)\b)(\w+)\b(.*)$/s.exec(sentence) ?? [];
    return verb === '' ? [] : [`I ${verb}${rest.replace(/\byour\b/g, 'my').replace(/\byou\b/g, 'I')}`];
  });
}

/** Without what it takes up of others. */
function pointOf(text: string): string | undefined {
  const own = text.replace(/^[\w.-]+ says: “.*” (?=\S)/, '');
  if (own.startsWith(noText) || /^(?:Nothing that was said|I have nothing)/.test(own)) return undefined;
  return keySentences(read(own).sentences, 1)[0]?.text ?? own;
}
