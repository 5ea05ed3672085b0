import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Managed, Team } from './team.js';

const ferry = readFileSync(new URL('ferry.md', import.meta.url), 'utf8');
const members = () => ({
  researcher: { instructions: 'You extract the facts of a text.', description: 'Finds the facts.' },
  writer: { instructions: 'You are a writer. Draft a short article.' },
  editor: { instructions: 'You are an editor. Shorten the draft.', description: 'Shortens what the writer drafted.' },
});
const managed = (task = ferry) => new Managed(new Team(members()).hear(task));

describe('a manager', () => {
  test('takes the facts from the task', () => {
    expect(managed().write('facts')).toMatch(
      /^\*\*Stated by the task\*\*\n- .*\n[\s\S]*61,000 passengers[\s\S]*\*\*To be looked up\*\*[\s\S]*Ruth Calder/,
    );
    expect(managed('Which ferry is older, that of Aldmoor or that of Stainby?').write('facts')).toContain('Aldmoor or that of Stainby?');
    expect(managed().write('facts')).not.toBe(managed(ferry.replaceAll('61,000', '90,500')).write('facts'));
  });

  test('plans with every member, in order, and says what each is for', () => {
    expect(managed().makePlan().plan).toBe(
      'For “The last rope ferry of Aldmoor”:\n1. researcher: Finds the facts\n2. writer: Draft a short article\n3. editor: Shortens what the writer drafted',
    );
  });

  test('revises the plan as a person wants it, and says so', () => {
    const work = managed().makePlan();
    const namesIn = (plan: string) => [...plan.matchAll(/^\d\. (\w+):/gm)].map(([, name]) => name);

    work.plan = work.write('revisedPlan', { feedback: 'Leave out the editor, and begin with the writer.' });
    expect(namesIn(work.plan)).toEqual(['writer', 'researcher']);
    expect(work.plan).toContain('Changed as asked: Leave out the editor, and begin with the writer.');
    work.plan = work.write('revisedPlan', { feedback: 'Add the editor, and mind the costs.' });
    expect(namesIn(work.plan)).toEqual(['writer', 'researcher', 'editor']);
    expect(work.plan).toMatch(/Leave out the editor[\s\S]*mind the costs/);
  });

  test('plans anew with somebody else first, out of what was learnt', () => {
    const work = managed().makePlan().tell();
    work.work();

    expect(work.write('newFacts', { reason: 'The same was said twice.' })).toContain('**Learnt since**');
    expect(work.write('newPlan', { reason: 'The same was said twice.' })).toMatch(
      /came to a halt[\s\S]*1\. writer: [\s\S]*3\. researcher: /,
    );
  });

  test('gives everybody their part, one after another, until all have spoken', () => {
    const work = managed().makePlan().tell();

    const first = work.judge();
    expect(first).toMatchObject({
      is_request_satisfied: { answer: false },
      is_in_loop: { answer: false },
      is_progress_being_made: { answer: true },
      next_speaker: { answer: 'researcher' },
    });
    expect(first.instruction_or_question.answer).toMatch(/^Your part, researcher: Finds the facts\nThe task: # The last rope ferry/);
    expect(work.work()).toEqual(['researcher', 'writer', 'editor']);
    expect(work.judge().is_request_satisfied).toEqual({ reason: 'Everybody in the plan has done their part.', answer: true });
  });

  test('sees that nothing moves when the last two said the same', () => {
    const work = managed().makePlan().tell();
    work.team.hear('I do not know.', { author: 'researcher' }).hear('I do not know.', { author: 'writer' });

    expect(work.judge()).toMatchObject({ is_progress_being_made: { answer: false }, next_speaker: { answer: 'editor' } });
  });

  test('leaves out whoever the plan leaves out', () => {
    const work = managed().makePlan();
    work.plan = work.write('revisedPlan', { feedback: 'Without the editor.' });

    expect(work.tell().work()).toEqual(['researcher', 'writer']);
  });

  test('knows the task after a new beginning', () => {
    const work = new Managed(new Team(members()));
    work.facts = '- nothing';
    work.plan = '1. writer: drafts';
    work.team.hear(`The task:\nWrite about tea.\n\nWe work on the task together.\n\nThe plan:\n1. writer: drafts`);

    expect(work.judge()).toMatchObject({
      next_speaker: { answer: 'writer' },
      instruction_or_question: { answer: 'Your part, writer: drafts\nThe task: Write about tea.' },
    });
  });
});

describe('the members', () => {
  test('do their own work on the task, and not on the plan', () => {
    const work = managed().makePlan().tell();
    work.work();
    const [facts = '', draft = '', short = ''] = work.team.entries.filter(({ author }) => author !== '').map(({ text }) => text);

    expect(facts).toMatch(/^\*\*Subject:\*\* The last rope ferry of Aldmoor/);
    expect(draft).toMatch(/^# The last rope ferry of Aldmoor/);
    expect(short.length).toBeLessThan(draft.length);
    expect(`${facts}${draft}${short}`).not.toMatch(/The members|Your part|We work on/);
  });

  test('say honestly that there is nothing to work on, each for their own part', () => {
    const work = managed('Compare three ways to reach Lisbon from Porto.').makePlan().tell();

    expect(work.work()).toEqual(['researcher', 'writer', 'editor']);
    expect(new Set(work.team.entries.filter(({ author }) => author !== '').map(({ text }) => text)).size).toBe(3);
    expect(work.answer()).toMatch(/^There is no text here to work on.*Lisbon from Porto\.”$/);
  });
});

describe('the answer', () => {
  test('is made of what the members said', () => {
    const work = managed().makePlan().tell();
    work.work();
    const answer = work.answer();

    expect(answer).toContain('61,000 passengers');
    expect(answer).not.toMatch(/researcher|plan:|Your part/);
    expect(answer.length).toBeLessThan(1500);
  });

  test('says what is missing when the work had to be stopped', () => {
    const work = managed().makePlan().tell();
    work.team.turn('researcher');

    expect(work.answer('partialAnswer')).toMatch(/38,000 pounds[\s\S]*What is missing: the part of writer and editor\.$/);
  });
});
