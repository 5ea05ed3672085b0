import { expect, test } from 'vitest';
import { EventPrinter } from '../../../src/cli/render/events.js';
import type { EventTypes, RunEvent } from '../../../src/contract/event.js';
import { recordedTerminal } from '../support.js';

const noUsage = { inputTokens: 0, outputTokens: 0, totalTokens: 0, modelCalls: 0 };

type Fields = { [Type in keyof EventTypes]: { type: Type } & Partial<EventTypes[Type]> }[keyof EventTypes];
type Tags = Partial<Pick<RunEvent, 'turn' | 'step' | 'attempt' | 'agent'>>;

function print(events: (Fields & Tags)[], hidesTask = false) {
  const { terminal, out } = recordedTerminal();
  const printer = new EventPrinter(terminal, hidesTask);
  for (const event of events) printer.print({ at: '2026-01-01T00:00:00Z', seq: 1, epoch: 0, runId: 'r', ...event } as RunEvent);
  return { text: out(), lastReply: printer.lastReply };
}

const said = (text: string) => ({ type: 'message.completed', text, usage: noUsage, finishReason: 'stop', model: 'm' }) as const;
const analyst = { turn: 1, agent: 'analyst', step: '1/1', attempt: 1 };
const writer = { turn: 2, agent: 'writer', step: '2/1', attempt: 1 };

test("each agent's words come under its name", () => {
  const { text, lastReply } = print([
    { type: 'run.started', pattern: 'sequential', agents: ['analyst', 'writer'] },
    { type: 'turn.started', ...analyst },
    { type: 'delta', text: 'Three ', ...analyst },
    { type: 'delta', text: 'facts.', ...analyst },
    { ...said('Three facts.'), ...analyst },
    { type: 'turn.completed', text: 'Three facts.', ...analyst },
    { type: 'delta', text: 'An article.', ...writer },
    { ...said('An article.'), ...writer },
    { type: 'turn.completed', text: 'An article.', ...writer },
  ]);

  expect(text).toBe('sequential: analyst, writer\n\nanalyst\nThree facts.\n\nwriter\nAn article.\n\n');
  expect(lastReply).toBe('An article.');
});

test('words that did not come by deltas are shown when the message is complete', () => {
  const { text } = print([
    { type: 'delta', text: 'Three ', ...analyst },
    { ...said('Three facts.'), ...analyst },
    { type: 'turn.completed', text: 'Three facts.', ...analyst },
    { ...said('An article.'), ...writer },
  ]);

  expect(text).toBe('analyst\nThree facts.\n\nwriter\nAn article.\n');
});

test('the event of a long message may hold only its beginning: nothing is said twice', () => {
  const { text, lastReply } = print([
    { type: 'delta', text: 'A long text.', ...analyst },
    { ...said('A long'), ...analyst },
  ]);

  expect(text).toBe('analyst\nA long text.\n');
  expect(lastReply).toBe('A long text.');
});

test('a step that starts over says so, and late words of the attempt before are dropped', () => {
  const { text } = print([
    { type: 'delta', text: 'Thr', ...analyst },
    { type: 'step.restarted', reason: 'the model hung up', ...analyst, attempt: 2 },
    { type: 'delta', text: 'ee', ...analyst },
    { type: 'delta', text: 'Three facts.', ...analyst, attempt: 2 },
    { ...said('Three facts.'), ...analyst, attempt: 2 },
  ]);

  expect(text).toBe('analyst\nThr\nThis did not arrive whole and is said again: the model hung up\nThree facts.\n');
});

test('agents that speak at the same time are not mixed up', () => {
  const { text } = print([
    { type: 'delta', text: 'One ', ...analyst },
    { type: 'delta', text: 'Two ', ...writer },
    { type: 'delta', text: 'fact.', ...analyst },
    { ...said('Two words.'), ...writer },
    { type: 'turn.completed', text: '', ...writer },
    { ...said('One fact.'), ...analyst },
    { type: 'turn.completed', text: '', ...analyst },
  ]);

  expect(text).toBe('analyst\nOne fact.\n\nwriter\nTwo words.\n\n');
});

test('tool calls and their results are one line each', () => {
  const { text } = print([
    { type: 'tool.called', tool: 'weather', callId: 'c', arguments: { city: 'Oslo' }, ...analyst },
    { type: 'tool.returned', tool: 'weather', callId: 'c', ok: true, text: 'sunny,\n20 degrees', ...analyst },
  ]);

  expect(text).toBe('analyst\n→ weather {"city":"Oslo"}\n← weather sunny, 20 degrees\n');
});

test('a turn that failed says why', () => {
  const { text } = print([{ type: 'turn.failed', turnId: 't', failure: { type: 'Model.Refused', message: 'No such model.' }, ...analyst }]);

  expect(text).toBe('analyst\nThe turn failed: No such model. (Model.Refused)\n\n');
});

test('the task is not shown to the one who has just written it, later messages are', () => {
  const events = [
    { type: 'message.received', text: 'Write about tea.' },
    { ...said('Tea.'), ...analyst },
    { type: 'message.received', text: 'And coffee?' },
  ] satisfies (Fields & Tags)[];

  expect(print(events, true).text).toBe('analyst\nTea.\nto the team: And coffee?\n\n');
  expect(print(events).text).toContain('to the team: Write about tea.\n\nanalyst');
});

test('types that are not known yet are passed over', () => {
  const event = { type: 'tea.made', plan: [], turn: 1, agent: 'analyst' } as unknown as Fields;

  expect(print([event]).text).toBe('');
});

test('what a run does with its own state is one line each', () => {
  const { text } = print([
    { type: 'run.loaded', snapshotId: 'aa', from: 'tea/0', overridden: ['agents: a, not b'] },
    { type: 'snapshot.saved', snapshotId: 'bb', reason: 'asked', label: 'before\nthe review' },
    { type: 'snapshot.saved', snapshotId: 'cc', reason: 'rollback' },
    { type: 'run.rolledBack', snapshotId: 'bb', lastTurn: 3 },
    { type: 'run.forked', snapshotId: 'bb', forkId: 'tea/2' },
    { type: 'command.failed', operationId: 'o', command: 'rollback', failure: { type: 'State.NotFound', message: 'There is none.' } },
  ]);

  expect(text.split('\n\n')).toEqual([
    'Goes on from aa of tea/0, but for: agents: a, not b',
    'Saved bb: before the review',
    'Saved cc',
    'Put back to bb, after turn 3',
    'tea/2 goes on from bb',
    'Could not rollback: There is none. (State.NotFound)',
    '',
  ]);
});
