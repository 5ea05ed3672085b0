/** How the stand-in writes: every sentence comes from the text that it was given. */
import {
  capitalised,
  contentWords,
  figuresIn,
  keySentences,
  listed,
  namesIn,
  read,
  sentencesOf,
  type Reading,
  type Sentence,
} from './reading.js';

/** What was asked of the length: "in two sentences", "at most 50 words". */
export interface Length {
  sentences?: number;
  words?: number;
}

/** The facts of a text, for somebody who writes about it. */
export function extract(text: string, { sentences = 6 }: Length = {}): string {
  const reading = read(text);
  const facts = keySentences(reading.sentences, sentences).map((sentence) => `- ${sentence.text}`);
  return paragraphs(
    `**Subject:** ${reading.title}`,
    ['**Key facts**', ...facts].join('\n'),
    reading.figures.length > 0 && `**Figures:** ${reading.figures.join('; ')}`,
    reading.names.length > 0 && `**Names:** ${reading.names.join('; ')}`,
    `**What it keeps coming back to:** ${reading.keywords.slice(0, 5).join(', ')} (${reading.wordCount} words read)`,
  );
}

/** An article: a lead, a paragraph for each part of the text, and what to remember. `notes` say what matters. */
export function draft(text: string, notes = ''): string {
  const reading = withNotes(read(text), notes);
  if (reading.sentences.length < 3) return reading.sentences.map((sentence) => sentence.text).join(' ');
  const body = keySentences(reading.sentences, 12);
  const themes = themesOf(reading);
  return paragraphs(
    `# ${reading.title}`,
    themes.length > 1 && `*What it is about: ${listed(themes)}.*`,
    ...partsOf(body).map(
      (part) => `${part.heading ? `**${part.heading}.** ` : ''}${part.sentences.map((sentence) => sentence.text).join(' ')}`,
    ),
    reading.figures.length > 1 && `The figures to remember: ${listed(reading.figures.slice(0, 4))}.`,
  );
}

/** The same in fewer words: always shorter than what it is made of. */
export function shorten(text: string, { sentences, words }: Length = {}): string {
  const reading = read(withoutNotes(text).replace(runInHeading, ''));
  const budget = Math.floor(text.length * 0.55);
  const wanted = sentences ?? Math.max(1, Math.ceil(reading.sentences.length * 0.45));
  const kept: string[] = [];
  for (const sentence of keySentences(reading.sentences, wanted)) {
    const tight = tighten(sentence.text);
    if (kept.length > 0 && kept.join(' ').length + tight.length > budget) break;
    kept.push(tight);
  }
  const title = text.trimStart().startsWith('#') && sentences === undefined ? `**${reading.title}**\n\n` : '';
  return atMost(words, `${title}${kept.join(' ')}`);
}

/** The parts of a text and the main point of each. */
export function outline(text: string): string {
  const reading = read(text);
  const parts = partsOf(keySentences(reading.sentences, 8)).map(({ heading, sentences }, index) => {
    const points = sentences.map((sentence) => `   - ${tighten(sentence.text)}`);
    return [`${index + 1}. ${heading || (index === 0 ? 'Introduction' : 'And further')}`, ...points].join('\n');
  });
  return paragraphs(`# ${reading.title}`, parts.join('\n'));
}

/** The sentences that speak about what is asked, or word that none does. */
export function answer(question: string, sources: string[]): string {
  const asked = [...new Set(contentWords(question))].filter((word) => !questionWords.has(word));
  // Lists of names and figures, as extracts and drafts have them, answer nothing.
  const sentences = [...new Set(sources.flatMap(sentencesOf))].filter(
    (sentence) => !/;.*;|^(?:What it is about|The figures to remember): /.test(sentence),
  );
  const lower = sentences.map((sentence) => sentence.toLowerCase());
  const weights = asked.map((word) => 1 / Math.log2(2 + lower.filter((sentence) => sentence.includes(word)).length));
  const wanted = wantedShape(question);
  const scored = sentences.map((text, position) => {
    const weight = asked.reduce((sum, word, index) => sum + (lower[position]?.includes(word) ? (weights[index] ?? 0) : 0), 0);
    return { text, position, weight: weight > 0 && wanted?.([text]) ? weight + 0.15 : weight };
  });
  const best = scored.reduce((most, { weight }) => Math.max(most, weight), 0);
  const good = keySentences(
    scored.filter(({ weight }) => weight > 0.6 * best),
    3,
  );
  if (best > 0) return good.map(({ text }) => text).join(' ');
  const { keywords } = read(sources.join('\n\n'));
  const nothing = `Nothing that was said here answers “${question.trim()}”.`;
  return keywords.length > 0 ? `${nothing} It was about ${listed(keywords.slice(0, 5))}.` : nothing;
}

/** Lists of names and figures, as extracts and drafts have them, say nothing by themselves. */
export function withoutNotes(text: string): string {
  const rest = text.replace(
    /^(?:\*\*(?:Subject|Figures|Names|What it keeps coming back to):\*\* |\*\*Key facts\*\*$|\*What it is about: |The figures to remember: ).*\n*/gm,
    '',
  );
  return rest.trim() === '' ? text : rest.trim();
}

export function atMost(words: number | undefined, text: string): string {
  const all = text.split(/(?<=\s)/);
  return words === undefined || all.length <= words
    ? text
    : `${all
        .slice(0, words)
        .join('')
        .trimEnd()
        .replace(/[,;:–-]$/, '')} …`;
}

/** `**Heading.** ` at the beginning of a paragraph. */
const runInHeading = /^\*\*[^*\n]{1,120}\*\*[ \t]+(?=\S)/gm;

const questionWords = new Set(
  'ask tell know mean explain describe think happen happened word document text article answer question anything something'.split(' '),
);

function wantedShape(question: string): ((texts: string[]) => boolean) | undefined {
  if (/\b(when|what year|how (many|much|long|old|far|large|big|high))\b/i.test(question)) return (texts) => figuresIn(texts).length > 0;
  if (/\b(who|whom|whose|where)\b/i.test(question)) return (texts) => namesIn(texts).length > 0;
  return undefined;
}

function paragraphs(...parts: (string | false)[]): string {
  return parts.filter((part) => part !== false && part.trim() !== '').join('\n\n');
}

/** What was noted weighs more. */
function withNotes(reading: Reading, notes: string): Reading {
  if (notes === '') return reading;
  const noted = new Set(sentencesOf(notes.slice(0, 50_000)));
  return {
    ...reading,
    sentences: reading.sentences.map((sentence) => (noted.has(sentence.text) ? { ...sentence, weight: sentence.weight * 1.5 } : sentence)),
  };
}

/** By the headings of the text, or in threes where it has none. */
function partsOf(sentences: Sentence[]): { heading: string; sentences: Sentence[] }[] {
  const parts: { heading: string; sentences: Sentence[] }[] = [];
  for (const sentence of sentences) {
    const last = parts.at(-1);
    if (last && last.heading === sentence.section && (sentence.section !== '' || last.sentences.length < 3)) last.sentences.push(sentence);
    else parts.push({ heading: sentence.section, sentences: [sentence] });
  }
  return parts;
}

/** What a text is about, in up to four names and words that are not in its title. */
function themesOf({ keywords, names, figures, title }: Reading): string[] {
  const known = new Set(contentWords([title, ...names, ...figures].join(' ')));
  const named = names.filter((name) => !title.includes(name)).slice(0, 2);
  return [...named, ...keywords.filter((word) => !known.has(word))].slice(0, 4);
}

function tighten(sentence: string): string {
  const tight = sentence
    .replace(/\s*\([^)]*\)/g, '')
    .replace(/\b(?:very|really|quite|actually|basically|simply|in fact|of course)\s+/g, '')
    .replace(/\bin order to\b/g, 'to')
    .replace(/\bdue to the fact that\b/g, 'because')
    .replace(/\ba (?:large )?number of\b/g, 'many')
    .replace(/^(?:However|Moreover|Furthermore|In addition|Meanwhile|Indeed|Also), /, '');
  return capitalised(tight);
}
