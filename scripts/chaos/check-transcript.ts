/** Checks of the transcript: nothing lost, nothing twice, everything heard, and one effect for each call of a tool. */
import { textOf } from '../../src/contract/message.js';
import { hears, type Entry } from '../../src/contract/transcript.js';
import type { Counts, Reply, Seen } from './check.js';
import { roundsOf, type Asked } from './model.js';
import type { Job } from './work.js';

/** Each message is there once, in the order of its sender, and was answered by one turn that did what it was told. */
export function problemsOfMessages({ said, pattern }: Job, entries: Entry[]): string[] {
  const problems: string[] = [];
  const last = new Map<string, number>();
  for (const { id, sender, text } of said) {
    const positions = entries.flatMap((entry, i) => (isSaying(entry, text) ? [i] : []));
    const [position = -1] = positions;
    if (positions.length !== 1) problems.push(`message "${id}" is there ${positions.length} times.`);
    if (position < (last.get(sender) ?? -1)) problems.push(`message "${id}" came before an earlier one of ${sender}.`);
    last.set(sender, position);
    const turns = entries.filter(({ opens }) => (pattern === 'session' ? opens?.id === id : opens !== undefined));
    if (turns.length !== (pattern === 'session' ? 1 : 3)) problems.push(`message "${id}" was answered by ${turns.length} turns.`);
    for (const { turn } of turns) {
      const replies = entries.filter((entry) => entry.turn === turn && entry.reply);
      const calls = replies.map(({ message }) =>
        message.contents.flatMap((content) => (content.$type === 'functionCall' ? [content.name] : [])).join('+'),
      );
      if (calls.join('/') !== [...roundsOf(text), ''].join('/'))
        problems.push(`turn ${turn} did ${calls.join('/')} instead of ${roundsOf(text).join('/')}.`);
    }
  }
  const others = entries.filter((entry) => entry.turn === undefined && !said.some(({ text }) => isSaying(entry, text)));
  if (others.length > 0) problems.push(`${others.length} messages are there that nobody said.`);
  return problems;
}

/** The model heard what the transcript says that this agent had heard by then. */
export function problemsOfHearing({ entry, position, step }: Reply, { heard, text }: Asked, entries: Entry[]): string[] {
  const problems: string[] = [];
  const ordinal = entry.turn ?? 0;
  const opening = entries.find((one) => one.turn === ordinal && one.opens)?.opens;
  const expected = entries
    .slice(0, position)
    .filter((one, i) => hears({ agent: opening?.agent ?? '', start: opening?.start ?? 0, ordinal }, one, i));
  if (heard.length !== expected.length) problems.push(`the model heard ${heard.length} messages at step ${step}, not ${expected.length}.`);
  const different = expected.findIndex((one, i) => !heard[i]?.content.includes(beginningOf(one)));
  if (different >= 0)
    problems.push(`message ${different} was heard differently at step ${step}: ${heard[different]?.content.slice(0, 80)}`);
  if (!text.startsWith(beginningOf(entry))) problems.push(`step ${step} is not what the model said.`);
  return problems;
}

function isSaying(entry: Entry, text: string): boolean {
  return entry.cut ? text.startsWith(beginningOf(entry)) : text === textOf(entry.message);
}

/** Of a very large message the transcript has only the beginning. */
function beginningOf({ message, cut }: Entry): string {
  const [result] = message.contents;
  const text = result?.$type === 'functionResult' ? String(result.result) : textOf(message);
  return cut ? text.slice(0, 1000) : text;
}

/** Each call has one result. A tool that knows keys took effect once, the other one was begun at most once; no call was made up. */
export function problemsOfTools(entries: Entry[], replies: Reply[], seen: Seen, counts: Counts): string[] {
  const problems: string[] = [];
  const results = entries.flatMap(({ message }) => message.contents.filter((content) => content.$type === 'functionResult'));
  for (const { entry, step } of replies) {
    for (const content of entry.message.contents) {
      if (content.$type !== 'functionCall') continue;
      const { name, callId } = content;
      counts.toolCalls += 1;
      const told = results.filter((result) => result.callId === callId).map(({ result }) => String(result));
      const lines = seen.toolCalls.filter(({ text }) => text === callId);
      const effects = seen.effects.get(`${name}.${callId}`) ?? 0;
      counts.toolRepeats += Math.max(0, lines.length - 1);
      if (told.length !== 1) problems.push(`call ${callId} of step ${step} has ${told.length} results.`);
      if (new Set(lines.map(({ key }) => key)).size > 1) problems.push(`call ${callId} had more than one key.`);
      const isKnown = told[0] === `${name === 'note' ? 'noted' : 'posted'} ${callId}`;
      if (isKnown && effects !== 1) problems.push(`call ${callId} of "${name}" took effect ${effects} times.`);
      if (!isKnown && (name === 'note' || effects > 1)) problems.push(`call ${callId} of "${name}": ${told[0]} (${effects} effects)`);
      if (name === 'post' && lines.length > 1) problems.push(`call ${callId} must not be repeated, and was begun ${lines.length} times.`);
    }
  }
  return problems;
}
