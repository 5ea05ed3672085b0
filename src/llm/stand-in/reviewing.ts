/** Reviewers make a remark on a draft and approve its revision; writers revise what was remarked on. */
import { intentsIn, lengthIn } from './intent.js';
import { contentWords, read, sentencesOf } from './reading.js';
import { approves, inShort, lastIndex, noText, type Line } from './talk.js';
import { atMost, shorten } from './writing.js';

const reviews = /\b(?:review\w*|critic\w*|critiqu\w*|approv\w*|feedback|proofread\w*|what you would change)\b/i;
/** "You are the report reviewer", or whoever is told what to say of good work. */
const isToReview =
  /\bYou are (?:an? |the )?(?:[\w-]+ ){0,4}(?:reviewer|critic|proofreader|approver)\b|\bgive (?:\w+ )?feedback\b|\b(?:say|reply|answer|respond|write)(?: \w+){0,3} ["“'`]?APPROVED/i;

/** The first of its words counts: "a writer who listens to feedback" writes. */
export function isReviewer(instructions: string): boolean {
  if (isToReview.test(instructions)) return true;
  const at = instructions.search(reviews);
  const other = intentsIn(instructions)[0];
  return at >= 0 && (!other || at < other.at);
}

/** What a reviewer says of the last draft, or of the text from outside when nobody has drafted anything. */
export function review(instructions: string, lines: Line[], document: string): string | undefined {
  const words = lines.filter(({ kind, text }) => kind === 'words' && text !== '');
  const draft = words.at(-1);
  if (!draft || draft.isOwn) return undefined;
  const own = lastIndex(words, ({ isOwn }) => isOwn);
  const isAlone = words.every(({ name, isOwn }) => name === '' && !isOwn);
  if (draft.name === '') return isAlone && document !== '' ? remarkOn(document, instructions) : undefined;
  if (draft.text.startsWith(noText) && own < 0) return 'There is nothing to review yet: the text is missing.';
  const isRevision = words.slice(0, Math.max(own, 0)).some(({ name }) => name === draft.name);
  return isRevision ? approvalOf(draft.text, instructions) : remarkOn(draft.text, instructions);
}

/** Whoever is answered with a remark says it again in fewer words; what was approved stays. */
export function revise(lines: Line[]): string | undefined {
  const words = lines.filter(({ kind, text }) => kind === 'words' && text !== '');
  const own = words[lastIndex(words, ({ isOwn }) => isOwn)];
  const remark = words.at(-1);
  if (!own || !remark || remark.isOwn || remark.name === '') return undefined;
  if (approves(remark.text) || (own.text.startsWith(noText) && isRemark(remark.text))) return own.text;
  if (!isRemark(remark.text)) return undefined;
  const limit = Number(/\bto (?:at most )?(\d+) words\b/i.exec(remark.text)?.[1] ?? 0);
  return limit > 0 ? within(limit, own.text) : shorter(own.text);
}

/** The same for what a person wants changed. */
export function reviseFor(ask: string, lines: Line[]): string | undefined {
  const own = lines.filter(({ isOwn, kind, text }) => isOwn && kind === 'words' && text !== '').at(-1)?.text;
  return own !== undefined && wordCount(own) > 12 && asksForChange(ask) ? shorter(own) : undefined;
}

/** Longer than this it is a text of its own. */
const remarkLength = 600;

export function isRemark(text: string): boolean {
  return text.length <= remarkLength && asksForChange(text);
}

/** What is quoted from a draft asks for nothing. */
function asksForChange(text: string): boolean {
  const said = text.replace(/“[^”]*”/g, '');
  return changes.test(said) || advice.test(said) || orders.test(said);
}

const changes =
  /\b(?:shorten|shorter|too (?:long|short|vague)|split|rewrite|rephras\w+|revis\w+|replac\w+|remove|clearer|unclear|missing|improv\w+)\b/i;
const advice = /\b(?:should|could|must|needs? to|please) (?:be|say|have|name|mention|add|cut|change|use|make|come|not)\b/i;
const orders = /(?:^|[.!:;]\s+)(?:please )?(?:add|cut|change|say|name|mention|explain|give|make|drop|use|start|begin|end)\b/i;

/** In whole sentences, if they can be kept. */
function within(words: number, text: string): string {
  for (let sentences = 8; sentences > 0; sentences--) {
    const short = shorten(text, { sentences });
    if (wordCount(short) <= words) return short;
  }
  return atMost(words, shorter(text));
}

function shorter(text: string): string {
  const short = shorten(text);
  if (short.length < text.length) return short;
  const clause = text.replace(/[,;–—(:] ?[^,;–—(:]*$/, '');
  return clause.length > 20 && clause.length < text.length ? `${clause}.` : text;
}

function approvalOf(draft: string, instructions: string): string {
  const [about] = read(draft).keywords;
  const said = `${wordCount(draft)} words now say what there is to say${about === undefined ? '' : ` about ${about}`}.`;
  return /approv/i.test(instructions) ? `APPROVED. ${said}` : `No further changes: ${said}`;
}

interface Check {
  /** Reviewers who are told to look at this do so first. */
  topic: RegExp;
  remark(draft: string, instructions: string): string | undefined;
}

const checks: Check[] = [
  {
    topic: /\b(?:length|long|short\w*|brief\w*|concise)\b/i,
    remark(draft, instructions) {
      const [count, limit] = [wordCount(draft), lengthIn(instructions).words ?? 120];
      return count > limit ? `Too long: shorten it to ${limit} words, it has ${count}.` : undefined;
    },
  },
  {
    topic: /\b(?:clar\w*|clear\w*|readab\w*|style|sentences?|language|grammar)\b/i,
    remark(draft) {
      const [longest = ''] = sentencesOf(draft).sort((a, b) => wordCount(b) - wordCount(a));
      return wordCount(longest) > 25 ? `Split this sentence, it has ${wordCount(longest)} words: “${inShort(longest, 60)}”` : undefined;
    },
  },
  {
    topic: /\b(?:facts?|figures?|numbers?|evidence|accura\w*|proof|data)\b/i,
    remark: (draft) => (/\d/.test(draft) ? undefined : `There is no figure in it: add one that shows how much ${topicOf(draft)} matters.`),
  },
  {
    topic: /\b(?:repet\w*|repeat\w*|wording|words)\b/i,
    remark(draft) {
      const words = contentWords(draft);
      const [most = ''] = read(draft).keywords;
      const count = words.filter((word) => word === most).length;
      return count > 3 ? `“${most}” comes ${count} times: replace one or two of them.` : undefined;
    },
  },
];

function remarkOn(draft: string, instructions: string): string {
  const first = checks.filter(({ topic }) => topic.test(instructions));
  for (const check of [...first, ...checks]) {
    const remark = check.remark(draft.slice(0, 200_000), instructions);
    if (remark !== undefined) return remark;
  }
  return `The first sentence should say more about ${topicOf(draft)}: “${inShort(sentencesOf(draft)[0] ?? draft, 60)}”`;
}

function topicOf(draft: string): string {
  return read(draft).keywords[0] ?? 'the matter';
}

function wordCount(text: string): number {
  return text.split(/\s+/).filter(Boolean).length;
}
