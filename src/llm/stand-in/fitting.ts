/** How well an option fits what was said: by the words that both have. */
import { spaced, type Option } from './deciding.js';
import { contentWords } from './reading.js';

export interface Fit extends Option {
  /** Words that were said and speak for it. */
  shared: string[];
  score: number;
}

/** Words that fit everything. */
const vague = new Set(
  'question ask answer handle help problem issue request customer user agent everything anything something else'.split(' '),
);
const readLength = 50_000;

/** In the order of the options. A name that was said counts more than words of a description. */
export function fitsOf(options: Option[], said: string): Fit[] {
  const heard = [...new Set(contentWords(said.slice(0, readLength)))];
  return options.map((option) => {
    const [byName, byAbout] = [option.name, option.about].map((text) => sharedWords(heard, text)) as [string[], string[]];
    return { ...option, shared: [...new Set([...byName, ...byAbout])], score: 2 * byName.length + byAbout.length };
  });
}

/** The words of `heard` that are in a text as well, in whatever form: "charged" and "charges". */
export function sharedWords(heard: string[], text: string): string[] {
  const words = [...new Set(contentWords(spaced(text)))].filter((word) => !vague.has(word));
  return heard.filter((one) => !vague.has(one) && words.some((other) => isAlike(one, other)));
}

export function best(fits: Fit[]): Fit | undefined {
  const [first] = [...fits].sort((a, b) => b.score - a.score);
  return first && first.score > 0 ? first : undefined;
}

/** Stands for whatever fits nothing else. */
export function isCatchAll({ name, about }: Option): boolean {
  return /^(?:other|others|general|misc\w*|default|else|rest)$/i.test(name) || /\b(?:any|every)thing else\b|\ball other/i.test(about);
}

function isAlike(one: string, other: string): boolean {
  if (one === other) return true;
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  const root = short.replace(/e$/, '');
  return root.length >= 4 && long.startsWith(root) && long.length - root.length <= 5;
}
