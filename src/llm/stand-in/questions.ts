/** Questions that are answered with JSON, by what was said before them: which label, who speaks next, what the plan is, how it goes. */
import type { Json, JsonObject } from '../../contract/json.js';
import { objectOf } from './deciding.js';
import { fill } from './filling.js';
import { best, fitsOf, isCatchAll, type Fit } from './fitting.js';
import { planOrFacts } from './planning.js';
import { judgeProgress } from './progress.js';
import { enumOf, given, optionOf, type Question } from './question.js';
import { listed } from './reading.js';
import { nextSpeaker } from './speaking.js';
import { approves, inShort, lastFromOutside, type Line } from './talk.js';

export function answerQuestion(question: Question): Json {
  const properties = objectOf(question.schema['properties']);
  const { label, labels, speaker, text, is_request_satisfied: satisfied } = properties;
  const [one, several, speakers] = [enumOf(label), enumOf(objectOf(labels)['items']), enumOf(speaker)];
  if (several) return classify(question, several, 'labels');
  if (one) return classify(question, one, 'label');
  if (speakers) return nextSpeaker(question, speakers);
  if (satisfied) return judgeProgress(question);
  const planned = text && Object.keys(properties).length === 1 ? planOrFacts(question) : undefined;
  return planned === undefined ? fill(question.schema, outcomeOf(question)) : { text: planned };
}

function classify(question: Question, names: string[], field: 'label' | 'labels'): JsonObject {
  const options = names.filter((name) => name !== 'none').map((name) => optionOf(name, question));
  const { lines } = question;
  const said = lastFromOutside(lines, authorsAfterFirst(lines))?.text ?? lines.at(-1)?.text ?? '';
  const fits = fitsOf(options, said);
  const fitting = fits.filter(({ score }) => score > 0);
  const right = best(fits);
  const otherwise = options.find(isCatchAll)?.name;
  const total = fitting.reduce((sum, { score }) => sum + score, 0);
  const isOne = field === 'label';
  const none = names.includes('none') ? 'none' : (names[0] ?? '');
  const all = fitting.length === 0 && otherwise !== undefined ? [otherwise] : fitting.map(({ name }) => name);
  return {
    [field]: isOne ? (right?.name ?? otherwise ?? none) : all,
    ...given(question, 'reason', reasonOf(isOne ? fitting.filter((fit) => fit === right) : fitting, said)),
    ...given(question, 'confidence', right ? Math.round((100 * (isOne ? right.score : total)) / total) / 100 : 0),
  };
}

/** Whoever speaks first, with a name or without, speaks from outside. */
function authorsAfterFirst(lines: Line[]): string[] {
  return lines.map(({ name }) => name).filter((name) => name !== '' && name !== lines[0]?.name);
}

function reasonOf(fits: Fit[], said: string): string {
  if (fits.length === 0) return `No word of “${inShort(said, 80)}” belongs to a label.`;
  return fits.map(({ name, shared }) => `${listed(shared.slice(0, 4).map((word) => `“${word}”`))} belongs to ${name}.`).join(' ');
}

/** What a conversation came to stands in what was said last, so that is read first. */
function outcomeOf({ lines }: Question): string {
  const words = lines.filter(({ kind, text }) => kind === 'words' && text !== '');
  const made = words.filter(({ name, isOwn, text }) => (name !== '' || isOwn) && !(approves(text) && text.length < 200));
  const asked = words.filter(({ name, isOwn }) => name === '' && !isOwn);
  return [...made.reverse(), ...asked].map(({ text }) => text).join('\n\n');
}
