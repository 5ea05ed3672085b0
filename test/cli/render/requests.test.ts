import { expect, test } from 'vitest';
import { requestText } from '../../../src/cli/render/requests.js';
import type { JsonObject } from '../../../src/contract/json.js';
import type { RequestView } from '../../../src/contract/request.js';
import { quoted } from '../../../src/cli/options.js';
import { recordedTerminal } from '../support.js';

const request = {
  requestId: 'plan-0-0',
  kind: 'planReview',
  prompt: 'The plan:\n1. Look.\n2. Write.\n\nWhat is known:\n- nothing',
  agent: 'manager',
  createdAt: new Date().toISOString(),
  status: 'pending',
} satisfies RequestView;
const decisions = (...words: string[]): JsonObject => ({
  anyOf: [
    { enum: ['approve', 'reject'] },
    { type: 'object', properties: { decision: { enum: words }, feedback: { type: 'string' } }, required: ['decision'] },
  ],
});

function show(change: Partial<RequestView>): string {
  const { terminal } = recordedTerminal();
  return requestText({ ...request, ...change }, terminal.style, (answer) => quoted(['npx', 'ostinato', 'respond', 'r', 'x', answer]));
}

test('a plan keeps its lines, and there is a command for each decision', () => {
  expect(show({ schema: decisions('approve', 'reject', 'revise') })).toBe(`plan-0-0  planReview from manager, just now
The plan:
1. Look.
2. Write.

What is known:
- nothing
approve:  npx ostinato respond r x approve
reject:   npx ostinato respond r x reject
revise:   npx ostinato respond r x '{"decision":"revise","feedback":"…"}'`);
});

test('where no revision is left, none is offered', () => {
  expect(show({ schema: decisions('approve', 'reject') })).not.toContain('revise');
});

test('a question takes words, or the end', () => {
  const schema: JsonObject = {
    anyOf: [
      { type: 'string' },
      { properties: { message: { type: 'string' }, end: { type: 'boolean' } } },
      { properties: { end: { const: true } } },
    ],
  };

  expect(show({ kind: 'question', prompt: 'Which one?', schema }).split('\n').slice(1)).toEqual([
    'Which one?',
    'answer:  npx ostinato respond r x "…"',
    `end:     npx ostinato respond r x '{"end":true}'`,
  ]);
});

test('of a form that nobody foresaw the schema is shown', () => {
  const schema: JsonObject = { type: 'object', properties: { pounds: { type: 'number' } } };

  expect(show({ kind: 'price', schema }).split('\n').slice(-2)).toEqual([
    `takes: ${JSON.stringify(schema)}`,
    'answer:  npx ostinato respond r x "…"',
  ]);
});

test('what is over says what became of it, and offers no command', () => {
  expect(show({ status: 'answered', by: 'anna', response: { decision: 'revise', feedback: 'Cheaper.' } })).toMatch(
    /answered by anna: revise: Cheaper\.$/,
  );
  expect(show({ status: 'withdrawn' })).toMatch(/withdrawn$/);
});

test('for whom it is, and the call that it is about, are shown; none of it steers the terminal', () => {
  const call = { tool: 'refund', callId: 'c1', arguments: { order: 'A\u001b[31m42' } };

  expect(show({ assignee: ['anna', 'b\u001ben'], role: 'finance', expiresAt: '2026-03-01T10:00:00Z', call }).split('\n')).toEqual(
    expect.arrayContaining([
      'plan-0-0  planReview from manager, just now, for anna or ben (finance), until 2026-03-01T10:00:00Z',
      '→ refund {',
      '  "order": "A\\u001b[31m42"',
    ]),
  );
  expect(show({ role: 'finance' })).toContain('just now, for finance');
});

test('choices with something to say are commands to be completed', () => {
  const outcome = (word: string, more: JsonObject = {}): JsonObject => ({
    type: 'object',
    properties: { outcome: { const: word }, ...more },
    required: ['outcome'],
  });
  const schema = { anyOf: [outcome('done', { result: {} }), outcome('failed', { reason: { type: 'string' } }), outcome('retry')] };

  expect(show({ kind: 'unknownOutcome', schema }).split('\n').slice(-3)).toEqual([
    `done:    npx ostinato respond r x '{"outcome":"done","result":"…"}'`,
    `failed:  npx ostinato respond r x '{"outcome":"failed","reason":"…"}'`,
    `retry:   npx ostinato respond r x '{"outcome":"retry"}'`,
  ]);
});
