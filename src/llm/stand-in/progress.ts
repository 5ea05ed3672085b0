/** How the stand-in judges the work of a team: it is done once everybody in the plan has spoken. */
import type { JsonObject } from '../../contract/json.js';
import { mentions } from './deciding.js';
import { planIn, taskOf } from './planning.js';
import type { Question } from './question.js';
import { inShort, instructionWords, lastIndex, type Line } from './talk.js';

export function judgeProgress({ text, lines }: Question): JsonObject {
  const members = namesIn(text);
  const told = toldAt(lines, members);
  const planned = planIn(lines[told]?.text ?? '').filter(({ name }) => members.length === 0 || members.includes(name));
  const plan = planned.length > 0 ? planned : members.map((name) => ({ name, about: 'say what you can about the task' }));
  const heard = lines.slice(told + 1).filter(({ name }) => name !== '');
  const next = plan.find(({ name }) => !heard.some((line) => line.name === name));
  const [before, last] = heard.slice(-2);
  const repeats = before !== undefined && last !== undefined && before.text === last.text;
  const spoken = heard.length === 0 ? 'Nobody has spoken yet.' : `${last?.name ?? before?.name} has spoken.`;
  const speaker = next ?? plan[0];
  return {
    is_request_satisfied: next
      ? { reason: `The part of ${next.name} is still to come.`, answer: false }
      : { reason: 'Everybody in the plan has done their part.', answer: true },
    is_in_loop: { reason: repeats ? 'Something was said twice, but not again and again.' : 'Nothing was said twice.', answer: false },
    is_progress_being_made: repeats ? { reason: 'The last two said the same.', answer: false } : { reason: spoken, answer: true },
    next_speaker: { reason: next ? `${next.name} is the next in the plan.` : 'Nobody is left in the plan.', answer: speaker?.name ?? '' },
    instruction_or_question: {
      reason: 'It is their part of the plan.',
      answer: speaker ? instructionWords(speaker.name, speaker.about, inShort(taskOf(lines), 400)) : '',
    },
  };
}

function namesIn(question: string): string[] {
  const [, names = ''] = /(?:\bmembers:|\bOne of:) ([^\n]+)/i.exec(question) ?? [];
  return names
    .replace(/\.$/, '')
    .split(/,\s*/)
    .map((name) => name.trim())
    .filter(Boolean);
}

/** Where the team was told of the plan. */
function toldAt(lines: Line[], members: string[]): number {
  const named = lastIndex(lines, ({ kind }) => kind === 'briefing');
  if (named >= 0) return named;
  const isPlan = ({ name, isOwn, text }: Line) =>
    name === '' && !isOwn && /\bplan\b/i.test(text) && members.some((member) => mentions(text, member));
  return lastIndex(lines, isPlan);
}
