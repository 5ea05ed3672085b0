import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { chat, chooseSpeaker, Team } from './team.js';

const ferry = readFileSync(new URL('ferry.md', import.meta.url), 'utf8');
const wordsIn = (text: string) => text.split(/\s+/).filter(Boolean).length;

const writer = { instructions: 'You are a writer. Draft an article, and revise it when the reviewer has something to say.' };
const reviewer = { instructions: 'You are a reviewer. Make one remark at a time; say APPROVED when the draft is good.' };
const said = (team: Team, name: string) => team.entries.filter(({ author }) => author === name).map(({ text }) => text);

describe('who speaks next', () => {
  const team = () => new Team({ writer, reviewer, editor: { instructions: 'You are an editor.' } }).hear('Write about the ferry.');

  test('is whoever was addressed, else whoever has not spoken, else whoever spoke longest ago', () => {
    const chatting = team();

    expect(chooseSpeaker(chatting)).toMatchObject({ done: false, speaker: 'writer', reason: 'writer has not spoken yet.' });
    chatting.hear('Here is a draft. editor, please shorten it.', { author: 'writer' });
    expect(chooseSpeaker(chatting).speaker).toBe('editor');
    chatting.hear('Here it is.', { author: 'editor' });
    expect(chooseSpeaker(chatting).speaker).toBe('reviewer');
    chatting.hear('The end is too long.', { author: 'reviewer' });
    expect(chooseSpeaker(chatting, ['writer', 'editor'])).toMatchObject({ speaker: 'writer', reason: 'writer has been silent longest.' });
    chatting.hear('@reviewer what do you think?', { author: 'ada' });
    expect(chooseSpeaker(chatting).speaker).toBe('reviewer');
  });

  test.each(['APPROVED. Nice.', 'Looks good to me!', 'No further changes.', 'I have nothing to add.', 'Done.'])(
    'is nobody once an agent approves: %s',
    (words) => {
      const over = team().hear('A draft.', { author: 'writer' }).hear(words, { author: 'reviewer' });

      expect(chooseSpeaker(over, ['writer', 'editor'])).toMatchObject({ done: true });
      expect(chooseSpeaker(over, ['writer', 'editor'], false)).toMatchObject({ speaker: 'editor' });
    },
  );

  test.each(['It cannot be approved yet.', 'Not good enough to be approved.', 'I will approve it when the figures are in.'])(
    'is somebody as long as nobody approves: %s',
    (words) => {
      expect(chooseSpeaker(team().hear(words, { author: 'reviewer' }), ['writer', 'editor'])).toMatchObject({ done: false });
    },
  );

  test('is nobody once everybody has spoken twice', () => {
    const debate = new Team({ alice: { instructions: 'You like ferries.' }, bob: { instructions: 'You like bridges.' } }).hear(ferry);

    expect(chat(debate)).toEqual(['alice', 'bob', 'alice', 'bob']);
    expect(new Set(debate.entries.map(({ text }) => text)).size).toBe(5);
  });
});

describe('writer and reviewer', () => {
  test('come to an approved draft that is shorter than the first', () => {
    const team = new Team({ writer, reviewer }).hear(ferry);

    expect(chat(team)).toEqual(['writer', 'reviewer', 'writer', 'reviewer']);
    const [first = '', second = ''] = said(team, 'writer');
    const [remark, approval] = said(team, 'reviewer');
    expect(remark).toBe(`Too long: shorten it to 120 words, it has ${wordsIn(first)}.`);
    expect(wordsIn(second)).toBeLessThanOrEqual(120);
    expect(wordsIn(second)).toBeGreaterThan(60);
    expect(approval).toBe(`APPROVED. ${wordsIn(second)} words now say what there is to say about ferry.`);
  });

  test.each([
    ['You review drafts for clarity.', /^Split this sentence, it has 29 words: “/],
    ['You check that there are facts and figures, and give feedback.', /^There is no figure in it: add one/],
    ['You are a critic.', /^Split this sentence/],
    ['You are a reviewer. A draft has at most 20 words.', /^Too long: shorten it to 20 words, it has 35\.$/],
  ])('the remark is about what the reviewer is for, and made of the draft: %s', (instructions, expected) => {
    const draft =
      'A rope ferry crosses the river. It was saved by the people of the village, who signed a petition and then founded a trust that has run it ever since with much care and love.';

    expect(new Team({ reviewer: { instructions } }).hear('Write.').hear(draft, { author: 'writer' }).reply('reviewer').text).toMatch(
      expected,
    );
  });

  test('nothing is approved by those who were not told to approve', () => {
    const team = new Team({ writer, critic: { instructions: 'You are a critic.' } }).hear(ferry);
    chat(team);

    expect(said(team, 'critic').at(-1)).toMatch(/^No further changes: \d+ words/);
    expect(said(team, 'critic').join()).not.toContain('APPROVED');
    expect(said(team, 'writer').join()).not.toContain('APPROVED');
  });

  test('what was approved stays as it is', () => {
    const team = new Team({ writer, reviewer }).hear(ferry);
    chat(team);

    expect(team.reply('writer').text).toBe(said(team, 'writer').at(-1));
  });

  test('a reviewer alone makes a remark on the text of the task', () => {
    expect(new Team({ reviewer }).hear(`Review this:\n\n${ferry}`).reply('reviewer').text).toMatch(/^Too long: shorten it to 120 words/);
  });

  test('a person who says something is answered', () => {
    const team = new Team({ writer, reviewer }).hear(ferry);
    team.turn('writer');
    team.hear('When was the trust founded?', { author: 'ada' });
    expect(team.reply('writer').text).toBe('A trust was founded in March 2020.');

    team.hear('Make it shorter, please.');
    expect(wordsIn(team.reply('writer').text ?? '')).toBeLessThan(wordsIn(said(team, 'writer')[0] ?? ''));
    team.hear('I am Ada.');
    expect(team.reply('writer').text).toBe('Noted: I am Ada.');
  });
});

test('when the conversation is over, its result is what was made, without the remarks', () => {
  const team = new Team({ writer, reviewer }).hear(ferry);
  chat(team);
  team.hear('The conversation is over. Say what it came to.', { to: ['reviewer'] });

  expect(team.reply('reviewer').text).toBe(said(team, 'writer').at(-1));
});
