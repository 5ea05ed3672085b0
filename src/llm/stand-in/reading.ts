/** How the stand-in reads: sentences, the words that matter, names and figures. No knowledge of the world, only counting. */

export interface Reading {
  /** A heading, or else the words that return most often. */
  title: string;
  sentences: Sentence[];
  /** Most frequent first. */
  keywords: string[];
  names: string[];
  figures: string[];
  wordCount: number;
}

export interface Sentence {
  text: string;
  /** The heading it stands under. */
  section: string;
  position: number;
  /** How much of what the text is about is in it. */
  weight: number;
}

/** Of a longer text only the beginning and the end are read. */
const readable = 200_000;
/** Beyond so many sentences every n-th is weighed: counting words is what takes time. */
const weighed = 1000;

export function read(whole: string): Reading {
  const text = whole.length > readable ? `${whole.slice(0, readable * 0.75)}\n\n${whole.slice(-readable * 0.25)}` : whole;
  const { title, lines } = parseLines(text);
  const all = lines.flatMap(({ text: line, section, isRow }) =>
    splitSentences(line).map((sentence) => ({ text: sentence, section, isRow })),
  );
  const step = Math.max(1, Math.ceil(all.length / weighed));
  const sample = all.filter((_, position) => position % step === 0);
  const words = sample.map((sentence) => contentWords(sentence.text));
  const counts = countOf(words.flat());
  const sentences = sample.map(({ text: sentence, section, isRow }, position) => {
    const weight = weigh(sentence, words[position] ?? [], counts, position);
    return { text: sentence, section, position, weight: isRow ? weight / 3 : weight };
  });
  const keywords = byCount(counts)
    .filter((word) => !/^\d+$/.test(word))
    .slice(0, 12);
  return {
    title: title || capitalised(listed(keywords.slice(0, 3))) || 'Untitled',
    sentences,
    keywords,
    names: namesIn(sample.map((sentence) => sentence.text)).slice(0, 6),
    figures: figuresIn(sample.map((sentence) => sentence.text)).slice(0, 8),
    wordCount: text.split(/\s+/).filter(Boolean).length,
  };
}

/** The `count` weightiest sentences that do not repeat each other, in the order of the text. */
export function keySentences<S extends Pick<Sentence, 'text' | 'position' | 'weight'>>(sentences: S[], count: number): S[] {
  const chosen: { sentence: S; words: Set<string> }[] = [];
  for (const sentence of [...sentences].sort((a, b) => b.weight - a.weight || a.position - b.position)) {
    if (chosen.length >= count) break;
    const words = new Set(contentWords(sentence.text));
    if (!chosen.some((other) => overlap(words, other.words) > 0.6)) chosen.push({ sentence, words });
  }
  return chosen.map(({ sentence }) => sentence).sort((a, b) => a.position - b.position);
}

/** All sentences of a text, as they stand, without headings. */
export function sentencesOf(text: string): string[] {
  return parseLines(text).lines.flatMap((line) => splitSentences(line.text));
}

/** Words that carry meaning, in lower case and without their commonest endings. */
export function contentWords(text: string): string[] {
  const words: string[] = [];
  for (const word of text.toLowerCase().match(wordShape) ?? []) if (word.length > 2 && !stopWords.has(word)) words.push(stem(word));
  return words;
}

/** `a, b and c` */
export function listed(items: string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function namesIn(sentences: string[]): string[] {
  const inside = new Map<string, number>();
  for (const sentence of sentences) {
    for (const match of sentence.matchAll(nameShape)) {
      const name = match[0];
      const first = match.index === 0 || /[.!?:“"(]\s*$/.test(sentence.slice(0, match.index));
      // A single capital at the beginning of a sentence says nothing.
      if ((first && !name.includes(' ')) || name.length < 3 || notNames.has(name.toLowerCase())) continue;
      const bare = name.replace(/^(The|A|An|In|On|At|For|From|By|When|While|After|Before|Since|But|And|Its?|This|That) /, '');
      inside.set(bare, (inside.get(bare) ?? 0) + 1);
    }
  }
  return byCount(inside);
}

/** What else begins with a capital. */
const notNames = new Set(
  'monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december i’m i’ve'.split(
    ' ',
  ),
);

export function figuresIn(sentences: string[]): string[] {
  const figures = new Set<string>();
  for (const sentence of sentences) {
    for (const [, figure = '', unit = ''] of sentence.matchAll(figureShape)) {
      const isUnit = unit !== '' && !stopWords.has(unit.toLowerCase());
      if (figure.length > 1 || isUnit) figures.add(isUnit ? `${figure}${unit === '%' ? '' : ' '}${unit}` : figure);
    }
  }
  return [...figures];
}

const wordShape = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu;
const nameShape = /\p{Lu}[\p{L}\p{N}'’-]+(?: (?:(?:of|de|van|von|der|la) )?\p{Lu}[\p{L}\p{N}'’-]+)*/gu;
const figureShape = /((?:[$€£] ?)?\d+(?:[.,:]\d+)*)(?: ?(%|[\p{L}°]+))?/gu;
const sentenceEnd = /(?<=[.!?…]["'”’)]?)\s+(?=["'“‘([]?[\p{Lu}\d])|(?<=[。！？])/u;
const abbreviation = /(?:^|[\s(])(?:Mr|Mrs|Ms|Dr|Prof|St|No|vs|etc|approx|cf|e\.g|i\.e|\p{Lu})\.$/u;

function splitSentences(line: string): string[] {
  const sentences: string[] = [];
  for (const piece of line.split(sentenceEnd)) {
    const last = sentences.at(-1);
    if (last !== undefined && abbreviation.test(last)) sentences[sentences.length - 1] = `${last} ${piece}`;
    else if (piece.trim() !== '') sentences.push(piece.trim());
  }
  return sentences;
}

interface Line {
  text: string;
  section: string;
  isRow?: boolean;
}

/** Paragraphs and list items of a Markdown or plain text. The first heading is the title, further ones are sections. */
function parseLines(text: string): { title: string; lines: Line[] } {
  let title = '';
  let section = '';
  let paragraph: string[] = [];
  let isRow = false;
  let inCode = false;
  const lines: Line[] = [];
  const close = () => {
    if (paragraph.length > 0) lines.push({ text: plain(paragraph.join(' ')), section, isRow });
    paragraph = [];
    isRow = false;
  };
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line.startsWith('```')) inCode = !inCode;
    const heading = /^#{1,6}\s+(.+?)\s*#*$/.exec(line)?.[1];
    const item = /^(?:[-*+•]|\d{1,3}[.)])\s+(.+)$/.exec(line)?.[1];
    if (inCode || line === '' || /^[-=*_|:`~\s]+$/.test(line)) close();
    else if (heading !== undefined) {
      close();
      if (title === '') title = plain(heading);
      else section = plain(heading);
    } else if (item !== undefined || line.startsWith('|')) {
      close();
      isRow = item === undefined;
      paragraph.push(item ?? tableRow(line));
    } else paragraph.push(line);
  }
  close();
  return { title, lines };
}

function tableRow(line: string): string {
  const [first = '', ...cells] = line
    .split('|')
    .map((cell) => cell.trim())
    .filter(Boolean);
  return cells.length > 0 ? `${first}: ${cells.join(', ')}.` : first;
}

/** Without the marks of Markdown. */
function plain(text: string): string {
  if (!/[*_`[<~]/.test(text)) return text;
  return text
    .replace(/<[!/]?[a-z-][^<>]{0,200}>/gi, '')
    .replace(/!?\[([^[\]]{0,200})\]\([^()]{0,500}\)/g, '$1')
    .replace(/[*~`]+|(?<![\p{L}\p{N}])_+|_+(?![\p{L}\p{N}])/gu, '')
    .trim();
}

function weigh(text: string, words: string[], counts: Map<string, number>, position: number): number {
  if (words.length < 3) return 0;
  const sum = [...new Set(words)].reduce((total, word) => total + Math.log2(counts.get(word) ?? 1), 0);
  const length = words.length < 6 || words.length > 40 ? 0.6 : 1;
  const alone = leansOnOthers.test(text) ? 0.6 : 1;
  return ((1 + sum) / Math.sqrt(words.length)) * length * alone * (/\d/.test(text) ? 1.2 : 1) * (position < 2 ? 1.2 : 1);
}

/** Out of its place such a sentence is hard to understand. */
const leansOnOthers = /^(?:It|They|He|She|This|That|These|Those|Because of this|But|And|Or|So|Then|Its|Their|Both|Such)\b/;

function countOf(words: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** Most frequent first, then in order of appearance. */
function byCount(counts: Map<string, number>): string[] {
  return [...counts].sort(([, a], [, b]) => b - a).map(([word]) => word);
}

function overlap(a: Set<string>, b: Set<string>): number {
  let both = 0;
  for (const word of a) if (b.has(word)) both += 1;
  return both / Math.max(1, Math.min(a.size, b.size));
}

/** Enough to find "boats" by "boat"; a word stays readable. */
function stem(word: string): string {
  const bare = word.replace(/['’]s$/, '');
  if (/(ss|us|is)$/.test(bare)) return bare;
  if (bare.length > 4 && bare.endsWith('ies')) return `${bare.slice(0, -3)}y`;
  if (bare.length > 4 && /(sh|ch|x|z|ss)es$/.test(bare)) return bare.slice(0, -2);
  return bare.length > 3 && bare.endsWith('s') ? bare.slice(0, -1) : bare;
}

const stopWords = new Set(
  `a about above after again against all almost along already also although always among an and another any are around as at away back be became because become been
  before being below between both but by came can cannot could did do does doing done down during each either else enough even ever every few first for from further gave
  get give given goes going got had has have having he her here hers him his how however i if in indeed instead into is it its itself just keep kept last least less let like
  likely made make makes many may maybe me might more most much must my near need neither never new next no nor not nothing now of off often on once one only onto or other
  others our out over own per perhaps please put quite rather really said same say says see seen several shall she should since so some still such take taken than that the
  their them then there these they thing things this those though three through thus to today together too took toward two under until up upon us use used uses using very
  was way we well went were what when where whether which while who whom whose why will with within without would yet you your
  der die das und ist nicht mit von den dem des ein eine einer auf für im zu sich als auch es an werden aus er hat dass sie nach bei wird seit wurde wurden sind war waren kann noch oder aber wie nur zum zur durch über unter vor
  le la les des une est dans que qui pour pas sur par plus avec ce cette sont au aux el los las del una por con para como más pero sus`.split(
    /\s+/,
  ),
);
