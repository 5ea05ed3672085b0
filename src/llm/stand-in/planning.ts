/** What the stand-in writes as a manager before the work begins: what is known of a task, and who does what. */
import { escaped, type Option } from './deciding.js';
import type { Question } from './question.js';
import { keySentences, read, sentencesOf } from './reading.js';
import { inShort, type Line } from './talk.js';

/** `undefined` when the question is about neither. */
export function planOrFacts(question: Question): string | undefined {
  const members = membersIn(question.text);
  if (members.length > 0 && /\bplan\b/i.test(question.text)) return planFor(question, members);
  return /\bfacts\b/i.test(question.text) ? factsOf(question) : undefined;
}

/** The task is what came from outside, without what the team was told of its plan. */
export function taskOf(lines: Line[]): string {
  const told = (line: Line) => line.kind === 'briefing' && /^The task:\n([\s\S]*?)\n\nWe work on/.exec(line.text)?.[1];
  const asked = lines.filter(({ name, isOwn, kind }) => name === '' && !isOwn && kind === 'words');
  const words = asked.length > 0 ? asked : lines.filter(({ isOwn, kind }) => !isOwn && kind === 'words').slice(0, 1);
  return words.length > 0 && words[0]?.name === ''
    ? words.map(({ text }) => text).join('\n\n')
    : lines.map(told).find(Boolean) || (words[0]?.text ?? '');
}

/** `1. name: what for`, in this order. */
export function planIn(text: string): Option[] {
  return [...text.matchAll(/^\s*\d+[.)]\s+([\w.-]+): (.+)$/gm)].map(([, name = '', about = '']) => ({ name, about }));
}

function membersIn(question: string): Option[] {
  const [, list = ''] = /\bmembers\b[^\n]*:\n([\s\S]*?)(?=\n\n(?:What is known|The plan|Write)|$)/i.exec(question) ?? [];
  return [...list.matchAll(/^- ([\w.-]+): (.*)$/gm)].map(([, name = '', about = '']) => ({ name, about: purposeIn(about) }));
}

/** Of instructions that serve as a description: what is to be done, rather than who it is. */
function purposeIn(about: string): string {
  const sentences = sentencesOf(about);
  const purpose = sentences.find((sentence) => !/^You are (?:an? |the )[\w -]+\.$/i.test(sentence)) ?? sentences[0] ?? about;
  return inShort(purpose.replace(/^You (?:will |must |should )?/, '').replace(/\.$/, ''), 140);
}

function planFor({ text, lines }: Question, members: Option[]): string {
  const feedback = /wants it changed:\n([\s\S]*?)\n\n(?=The plan:|What is known|The members)/i.exec(text)?.[1]?.trim();
  const before = planIn(text).filter(({ name }) => members.some((member) => member.name === name));
  const said = [...text.matchAll(/^Changed as asked: .*$/gm)].map(([line]) => line);
  const reason = /came to a halt|went wrong/i.test(text);
  const known = before.length > 0 ? before : members;
  // Another beginning is the plainest way round whatever went wrong.
  const order = feedback
    ? changed(known, members, feedback)
    : reason && known.length > 1
      ? [...known.slice(1), ...known.slice(0, 1)]
      : known;
  const opening = reason ? 'The work came to a halt, so somebody else begins this time.' : `For “${subjectOf(taskOf(lines))}”:`;
  const list = order.map(({ name, about }, index) => `${index + 1}. ${name}: ${about}`);
  return [opening, ...list, ...said, ...(feedback ? [`Changed as asked: ${inShort(feedback, 1000)}`] : [])].join('\n');
}

/** "without the editor", "the editor first", "add the critic" */
function changed(plan: Option[], members: Option[], feedback: string): Option[] {
  const has = (name: string, before: string, after = '') =>
    new RegExp(`${before}(?:the |an? )?${escaped(name)}\\b${after}`, 'i').test(feedback);
  const out = (name: string) => has(name, '\\b(?:without|drop|skip|remove|leave out|no) ');
  const added = members.filter(({ name }) => has(name, '\\b(?:add|include|with|bring in) ') && !plan.some((one) => one.name === name));
  const kept = [...plan, ...added].filter(({ name }) => !out(name));
  const first = kept.filter(({ name }) => has(name, '\\b(?:begin|start) with ') || has(name, '\\b', ' (?:\\w+ )?first\\b'));
  const last = kept.filter(({ name }) => has(name, '\\b(?:end|finish) with ') || has(name, '\\b', ' (?:\\w+ )?last\\b'));
  const order = [
    ...first,
    ...kept.filter((one) => !first.includes(one) && !last.includes(one)),
    ...last.filter((one) => !first.includes(one)),
  ];
  return order.length > 0 ? order : plan;
}

function subjectOf(task: string): string {
  return task.length <= 120 ? inShort(task) : read(task).title;
}

function factsOf({ text, lines }: Question): string {
  const task = taskOf(lines);
  const reading = read(task);
  const learnt = lines.filter(({ name, isOwn, kind }) => (name !== '' || isOwn) && kind === 'words').map((line) => line.text);
  const isAgain = /learnt since|come to a halt/i.test(text);
  const items = (list: string[]) => (list.length > 0 ? list.map((item) => `- ${inShort(item)}`) : ['- nothing']);
  const key = (words: string) => keySentences(read(words).sentences, 3).map((sentence) => sentence.text);
  const isOpen = (sentence: string) => sentence.endsWith('?') || /\b(?:compare|compute|calculate|decide|choose|estimate)\b/i.test(sentence);
  const puzzles = sentencesOf(task.slice(0, 50_000)).filter(isOpen).slice(0, 3);
  const open = [...reading.names, ...reading.keywords.filter((word) => !reading.names.some((name) => name.toLowerCase().includes(word)))];
  return [
    '**Stated by the task**',
    ...items(reading.sentences.length > 0 ? keySentences(reading.sentences, 4).map((sentence) => sentence.text) : [task].filter(Boolean)),
    '**To be looked up**',
    ...items(open.slice(0, 3).map((word) => `what the team knows of ${word}`)),
    '**To be worked out**',
    ...items(puzzles.length > 0 ? puzzles : [`what follows from it for “${subjectOf(task)}”`]),
    ...(isAgain ? ['**Learnt since**', ...items(learnt.slice(-3).flatMap(key))] : []),
    '**Guesses**',
    isAgain ? '- that everything stands in the task: revised, it does not' : '- that everything that is needed stands in the task',
  ].join('\n');
}
