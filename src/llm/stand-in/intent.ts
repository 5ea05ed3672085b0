/** What the stand-in is to do with a text, and how long the result may be, by the words that say so. */
import { optionsIn } from './deciding.js';
import type { Length } from './writing.js';

export type Intent = 'choose' | 'extract' | 'outline' | 'write' | 'shorten';

const intents: [Intent, RegExp][] = [
  ['choose', /\b(?:classif\w*|rout(?:e|er|es|ing)|triage\w*|choose|pick|select|decide|label)\b/i],
  ['extract', /\b(?:analy[sz]\w*|facts?|extract\w*|findings|research\w*|key points|bullet points)\b/i],
  ['outline', /\b(?:outline\w*|structure|table of contents|plan(?:ner|s)?)\b/i],
  ['write', /\b(?:writ(?:e|er|es|ing)|draft\w*|article|author|compose\w*|blog|essay|report|story)\b/i],
  ['shorten', /\b(?:edit(?:or|s|ing)?|short(?:en\w*|er)|polish\w*|tighten\w*|trim\w*|condens\w*|summar\w*|concise|brief\w*|tl;dr)\b/i],
];

/** The first of its words counts: "an editor who shortens what the writer drafted" edits. Choosing needs options to choose from. */
export function intentOf(text: string): Intent | undefined {
  return intentsIn(text)[0]?.intent;
}

/** In the order in which they are said. */
export function intentsIn(text: string): { intent: Intent; at: number }[] {
  const found = intents
    .filter(([intent]) => intent !== 'choose' || optionsIn(text).length > 0)
    .map(([intent, shape]) => ({ intent, at: text.search(shape) }))
    .filter(({ at }) => at >= 0);
  return found.sort((a, b) => a.at - b.at);
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

export function lengthIn(text: string): Length {
  const asked = (unit: string) => {
    const digits = new RegExp(`\\b(\\d+|${Object.keys(numbers).join('|')})\\s+(?:\\w+\\s+)?(?:${unit})s?\\b`, 'i')
      .exec(text)?.[1]
      ?.toLowerCase();
    return digits === undefined ? undefined : (numbers[digits] ?? Number(digits));
  };
  const [sentences, words] = [asked('sentence|bullet|fact|point'), asked('word')];
  return { ...(sentences && { sentences }), ...(words && words > 4 && { words }) };
}
