/** When the work is over: an answer made of what the agents said, and of nothing that was said about the work itself. */
import type { Intent } from './intent.js';
import { planIn } from './planning.js';
import { keySentences, listed, read, sentencesOf } from './reading.js';
import { isRemark } from './reviewing.js';
import { approves, noText, type Line } from './talk.js';
import { shorten, withoutNotes } from './writing.js';

const over = /^The (?:work|conversation|discussion|chat) (?:is over|had to be stopped)\b/i;
/** A text up to this length is an answer as it stands, in characters. */
const shortEnough = 900;

/** `undefined` when it is not over. */
export function conclude(lines: Line[], intent?: Intent): string | undefined {
  const last = lines.at(-1);
  if (!last || last.name !== '' || last.isOwn || !over.test(last.text)) return undefined;
  const said = lines.slice(0, -1).filter(({ name, isOwn, kind, text }) => (name !== '' || isOwn) && kind === 'words' && text !== '');
  const results = said.filter(({ text }) => !(text.length <= 400 && approves(text)));
  const matter = results.filter(({ text }) => !isRemark(text));
  const isEmpty = ({ text }: Line) => text.startsWith(noText) || text.startsWith('Nothing that was said here');
  if (results.length > 0 && results.every(isEmpty)) return results[0]?.text.split('\n')[0];
  const latest = [
    ...new Map(
      (matter.length > 0 ? matter : results).filter((line) => !isEmpty(line)).map((line) => [line.name, withoutNotes(line.text)]),
    ).values(),
  ];
  const texts = latest.filter((text, index) => latest.indexOf(text) === index);
  const [only = ''] = texts;
  const answer =
    texts.length > 1 ? together(texts) : only.length > shortEnough || intent === 'shorten' ? shorten(only, { sentences: 5 }) : only;
  const words = answer || 'Nothing was said that could answer it.';
  return /had to be stopped/i.test(last.text) ? `${words}\n\n${missing(lines)}` : words;
}

/** The weightiest sentences of each, none of them twice. */
function together(texts: string[]): string {
  const told = new Set<string>();
  const parts = texts.map((text) => {
    const sentences = keySentences(read(text).sentences, 2).map((sentence) => sentence.text);
    const kept = (sentences.length > 0 ? sentences : sentencesOf(text).slice(0, 1)).filter((sentence) => !told.has(sentence));
    for (const sentence of kept) told.add(sentence);
    return kept.join(' ');
  });
  return parts.filter(Boolean).join('\n\n');
}

function missing(lines: Line[]): string {
  const plan = planIn(lines.filter(({ kind }) => kind === 'briefing').at(-1)?.text ?? '');
  const silent = plan.filter(({ name }) => !lines.some((line) => line.name === name)).map(({ name }) => name);
  return silent.length > 0 ? `What is missing: the part of ${listed(silent)}.` : 'What is missing: it could not be brought to its end.';
}
