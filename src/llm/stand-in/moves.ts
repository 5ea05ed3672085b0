/** Moves in a handoff: to whom a conversation goes over, and when its task is done. */
import type { HttpModelReply, HttpModelRequest } from '../http-model.js';
import { escaped, mentions, type Option } from './deciding.js';
import { best, fitsOf } from './fitting.js';
import { contentWords, listed } from './reading.js';
import { handoverWords, inShort, lastFromOutside, lastIndex, type Line } from './talk.js';

type Tools = HttpModelRequest['tools'];

/** Whom one may hand over to, and when. */
export function targetsIn(tools: Tools): Option[] {
  return tools.flatMap(({ name, description }) => {
    const [, target] = /^transfer_to_(.+)$/.exec(name) ?? [];
    return target === undefined ? [] : [{ name: target, about: description.replace(/^Hands the conversation over to \S+?\.(?=\s|$)/, '') }];
  });
}

export function isMove(name: string): boolean {
  return name === 'complete_task' || name.startsWith('transfer_to_');
}

/** Hands over, or completes the task without another word, where that is what the last words from outside ask for. */
export function moveFor(lines: Line[], tools: Tools, instructions: string): HttpModelReply | undefined {
  const targets = targetsIn(tools);
  const mayComplete = tools.some(({ name }) => name === 'complete_task');
  const asked = lastFromOutside(
    lines,
    targets.map(({ name }) => name),
  );
  if (!asked || (targets.length === 0 && !mayComplete)) return undefined;
  const since = lines.slice(asked.at + 1);
  if (mayComplete && isDone(lines, asked)) return { calls: [completion(lines, asked.text)] };
  const to = since.some(({ isOwn, kind }) => isOwn && kind === 'words') ? undefined : betterThanMe(targets, asked.text, instructions);
  const isTaken = to && since.some(({ name, handedTo }) => name === to.name || handedTo.includes(to.name));
  if (!to || isTaken) return undefined;
  const reason = `it is about ${listed(to.shared.slice(0, 4).map((word) => `“${word}”`))}.`;
  return { text: handoverWords(to.name, reason), calls: [{ name: `transfer_to_${to.name}`, arguments: { reason } }] };
}

/** Beside an answer: where the instructions tell to complete the task, and not only once somebody says so. */
export function completionBeside(answer: string, tools: Tools, instructions: string): HttpModelReply['calls'] {
  if (!tools.some(({ name }) => name === 'complete_task')) return undefined;
  const told = instructions.split(/(?<=[.!;])\s+|\n/).find((sentence) => /\bcomplete_task\b|\bcompletes? the task\b/i.test(sentence));
  if (
    told === undefined ||
    /\b(?:never|not|n['’]t)\b|\b(?:customer|user|person|they|somebody|happy|satisfied|thanks?|goodbye)\b/i.test(told)
  )
    return undefined;
  return [{ name: 'complete_task', arguments: { summary: inShort(answer) } }];
}

function betterThanMe(targets: Option[], said: string, instructions: string) {
  const { own, routes } = partsOf(instructions, targets);
  const options = targets.map(({ name, about }) => ({ name, about: `${about} ${routes.get(name) ?? ''}` }));
  const to = best(fitsOf(options, said));
  const [me] = fitsOf([{ name: '', about: own }], said);
  return to && to.score > (me?.score ?? 0) ? to : undefined;
}

/** What instructions say about others is not about oneself, and says when the others are right. */
function partsOf(instructions: string, targets: Option[]): { own: string; routes: Map<string, string> } {
  const own: string[] = [];
  const routes = new Map<string, string>();
  for (const clause of instructions.split(/[.;\n]+\s*|,? and (?=[^.;\n]*\bto\b)/)) {
    const named = targets.filter(({ name }) => mentions(clause, name) || mentions(clause, name.replace(/[_-]+/g, ' ')));
    const sends = /\b(?:hand|transfer|rout|forward|send|pass|refer|direct|triage|escalat)/i.test(clause);
    const [one] = named;
    if (one && named.length === 1 && sends)
      routes.set(one.name, `${routes.get(one.name) ?? ''} ${clause.replace(new RegExp(escaped(one.name), 'gi'), '')}`);
    else if (!sends) own.push(clause);
  }
  return { own: own.join('. '), routes };
}

/** A farewell, or nobody has anything more to say: the run itself asks to go on, or what was said last is said once more. */
function isDone(lines: Line[], asked: { text: string; at: number }): boolean {
  const hasSpoken = lines.some(({ name, isOwn, kind }, index) => kind === 'words' && (isOwn || (name !== '' && index < asked.at)));
  if (!hasSpoken) return false;
  const last = lines.at(-1);
  const isTold = last?.kind === 'notice' || isRepeated(lines, asked.at);
  return isTold || (asked.at === lines.length - 1 && isFarewell(asked.text));
}

function isRepeated(lines: Line[], at: number): boolean {
  const [last, own] = [lines[at], lines[at - 1]];
  return (
    last !== undefined &&
    at === lines.length - 1 &&
    own?.isOwn === true &&
    lines.slice(0, at).some((line) => line.name === last.name && !line.isOwn && line.text === last.text)
  );
}

const farewell =
  /\b(?:many |no,? )?(?:thanks|thank you|that(?:['’]s| is| was) (?:all|it|everything)|good ?bye|bye|nothing (?:more|else)|all set|cheers)\b(?: (?:a lot|so much|very much|for now))?/gi;

/** Whatever else is said beside a farewell is still to be answered. */
const polite = new Set(
  'help great perfect good nice lovely super fine okay alright work solved done day time kind appreciated everybody everyone answer quick fast'.split(
    ' ',
  ),
);

function isFarewell(text: string): boolean {
  if (text.includes('?') || text.search(farewell) < 0) return false;
  return contentWords(text.replace(farewell, ' ')).every((word) => polite.has(word));
}

function completion(lines: Line[], asked: string): { name: string; arguments: { summary: string } } {
  const at = lastIndex(lines, ({ isOwn, name, kind, text }) => (isOwn || name !== '') && kind === 'words' && text !== '');
  const done = lines[at]?.text ?? '';
  return { name: 'complete_task', arguments: { summary: inShort(done || `Answered: ${asked}`, 400) } };
}
