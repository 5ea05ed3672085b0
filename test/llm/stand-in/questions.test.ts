import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { JsonObject } from '../../../src/contract/json.js';
import { standInReply } from '../../../src/llm/stand-in.js';
import { requestOf, Team } from './team.js';
import { cpuMs } from '../../support/cpu.js';

const ferry = readFileSync(new URL('ferry.md', import.meta.url), 'utf8');
const classifier = { instructions: 'You classify. Billing, technical and sales are your labels.' };

interface Said {
  label?: string;
  labels?: string[];
  reason?: string;
  confidence?: number;
}

function classify(team: Team, labels: { [label: string]: string }, match: 'first' | 'all' = 'first'): Said {
  const names = Object.keys(labels);
  const list = Object.entries(labels).map(([label, about]) => (about === '' ? `- ${label}` : `- ${label}: ${about}`));
  const which =
    match === 'all' ? 'Which of these labels fit? Name all that do.' : 'Which of these labels fits best? Say "none" if none does.';
  return team.ask<Said>(classifier, 'classifier', `Classify the last message.\n${which}\n${list.join('\n')}`, {
    type: 'object',
    properties: {
      ...(match === 'all' ? { labels: { type: 'array', items: { enum: names } } } : { label: { enum: [...names, 'none'] } }),
      reason: { type: 'string' },
      confidence: { type: 'number', minimum: 0, maximum: 1 },
    },
    required: [match === 'all' ? 'labels' : 'label'],
  });
}

const desk = { billing: 'invoices, payments and refunds', technical: 'errors, crashes and logins', sales: 'prices and offers' };

describe('a classification', () => {
  test.each([
    ['I was charged twice and want my payment back.', 'billing'],
    ['The app crashed when I logged in.', 'technical'],
    ['Do you have an offer for schools?', 'sales'],
    ['It is about billing.', 'billing'],
    ['What a lovely morning!', 'none'],
    ['Please classify the last message.', 'none'],
  ])('goes by the words of the message, not by those of the question: %s', (said, label) => {
    expect(classify(new Team({}).hear(said), desk).label).toBe(label);
  });

  test('names all labels that fit, where several may', () => {
    expect(classify(new Team({}).hear('The app crashes when I pay an invoice.'), desk, 'all').labels).toEqual(['billing', 'technical']);
    expect(classify(new Team({}).hear('Good morning.'), desk, 'all').labels).toEqual([]);
  });

  test('says why, and how sure it is', () => {
    const sure = classify(new Team({}).hear('Where is my refund?'), desk);
    const unsure = classify(new Team({}).hear('My refund shows an error, and an invoice is missing.'), desk);

    expect(sure).toEqual({ label: 'billing', reason: '“refund” belongs to billing.', confidence: 1 });
    expect(unsure.label).toBe('billing');
    expect(unsure.confidence).toBeGreaterThan(0.5);
    expect(unsure.confidence).toBeLessThan(1);
    expect(classify(new Team({}).hear('Good morning.'), desk)).toMatchObject({ label: 'none', confidence: 0 });
  });

  test('is about what was said last from outside', () => {
    const team = new Team({}).hear('Where is my refund?').hear('It was paid yesterday.', { author: 'clerk' }).hear('And the app crashes.');

    expect(classify(team, desk).label).toBe('technical');
    expect(classify(team.hear('Prices are prices.', { author: 'clerk' }), desk).label).toBe('technical');
    expect(classify(new Team({}).hear('A crash!', { author: 'ada' }), desk).label).toBe('technical');
  });

  test('takes the label for everything else rather than none', () => {
    expect(classify(new Team({}).hear('What a morning!'), { ...desk, other: 'anything else' }).label).toBe('other');
    expect(classify(new Team({}).hear('I like ferries.'), { ferry: '', bridge: '' }).label).toBe('ferry');
  });

  test('asked again, is answered for the same reasons', () => {
    const schema: JsonObject = { type: 'object', properties: { label: { enum: ['ferry', 'bridge', 'none'] } }, required: ['label'] };
    const form = `Answer with one JSON object and nothing else. It has to fit this JSON schema:\n${JSON.stringify(schema)}`;
    const messages = [
      { role: 'user', content: 'Is the bridge open?' },
      { role: 'user', content: `Classify the last message.\n- ferry\n- bridge\n\n${form}` },
      { role: 'assistant', content: 'The ferry, I think.' },
      { role: 'user', content: `That cannot be used: There is no JSON in it.\nAnswer again. ${form}` },
    ];

    expect(standInReply(requestOf(messages, { outputSchema: schema })).text).toBe('{"label":"bridge"}');
  });

  test('of a megabyte takes no longer than 200 ms', () => {
    const team = new Team({}).hear(Array.from({ length: 480 }, () => ferry).join('\n\n'));
    const began = cpuMs();
    classify(team, desk);

    expect(cpuMs() - began).toBeLessThan(200);
  });
});

test('any other question is answered out of the conversation, and not out of its own words', () => {
  const schema = z.object({ title: z.string(), summary: z.string(), passengers: z.int(), isOpen: z.boolean() });
  const team = new Team({}).hear(ferry).hear('APPROVED. Nothing is left to change.', { author: 'reviewer' });

  const result = team.ask(classifier, 'classifier', 'Give the result of this conversation.', z.toJSONSchema(schema) as JsonObject);

  expect(schema.parse(result)).toMatchObject({ title: 'The last rope ferry of Aldmoor', passengers: 61_000 });
  expect(ferry.replace(/\s+/g, ' ')).toContain(schema.parse(result).summary);
});
