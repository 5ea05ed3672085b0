import { expect, test } from 'vitest';
import { respondWords } from '../../../src/cli/render/answers.js';
import type { Addressed } from '../../../src/cli/render/asked.js';
import { EventPrinter, type EventPrinterOptions } from '../../../src/cli/render/events.js';
import type { EventTypes, RunEvent } from '../../../src/contract/event.js';
import type { JsonObject } from '../../../src/contract/json.js';
import { recordedTerminal } from '../support.js';

const noUsage = { inputTokens: 0, outputTokens: 0, totalTokens: 0, modelCalls: 0 };

type Fields = { [Type in keyof EventTypes]: { type: Type } & Partial<EventTypes[Type]> }[keyof EventTypes];
type Tags = Partial<Pick<RunEvent, 'turn' | 'step' | 'attempt' | 'agent' | 'nested'>>;

function print(events: (Fields & Tags)[], options: EventPrinterOptions = {}) {
  const { terminal, out } = recordedTerminal();
  const printer = new EventPrinter(terminal, options);
  for (const event of events) printer.print({ at: '2026-01-01T00:00:00Z', seq: 1, epoch: 0, runId: 'r', ...event } as RunEvent);
  return { text: out(), lastReply: printer.lastReply };
}

const said = (text: string) => ({ type: 'message.completed', text, usage: noUsage, finishReason: 'stop', model: 'm' }) as const;
const analyst = { turn: 1, agent: 'analyst', step: '1/1', attempt: 1 };
const writer = { turn: 2, agent: 'writer', step: '2/1', attempt: 1 };
const begins = (who: Tags) => ({ type: 'turn.started', turnId: `turn-${who.turn}`, turn: who.turn, agent: who.agent }) as const;
const ends = (who: Tags, text = '') =>
  ({ type: 'turn.completed', turnId: `turn-${who.turn}`, text, turn: who.turn, agent: who.agent }) as const;

test("each agent's words come under its name", () => {
  const { text, lastReply } = print([
    { type: 'run.started', pattern: 'sequential', agents: ['analyst', 'writer'] },
    begins(analyst),
    { type: 'delta', text: 'Three ', ...analyst },
    { type: 'delta', text: 'facts.', ...analyst },
    { ...said('Three facts.'), ...analyst },
    ends(analyst, 'Three facts.'),
    begins(writer),
    { type: 'delta', text: 'An article.', ...writer },
    { ...said('An article.'), ...writer },
    ends(writer, 'An article.'),
  ]);

  expect(text).toBe('sequential: analyst, writer\n\nanalyst\nThree facts.\n\nwriter\nAn article.\n\n');
  expect(lastReply).toBe('An article.');
});

test('words that did not come by deltas are shown when the message is complete', () => {
  const { text } = print([
    begins(analyst),
    { type: 'delta', text: 'Three ', ...analyst },
    { ...said('Three facts.'), ...analyst },
    ends(analyst, 'Three facts.'),
    begins(writer),
    { ...said('An article.'), ...writer },
  ]);

  expect(text).toBe('analyst\nThree facts.\n\nwriter\nAn article.\n');
});

test('the event of a long message may hold only its beginning: nothing is said twice', () => {
  const { text, lastReply } = print([
    begins(analyst),
    { type: 'delta', text: 'A long text.', ...analyst },
    { ...said('A long'), ...analyst },
  ]);

  expect(text).toBe('analyst\nA long text.\n');
  expect(lastReply).toBe('A long text.');
});

test('a step that starts over says so, and late words of the attempt before are dropped', () => {
  const { text } = print([
    begins(analyst),
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
    begins(analyst),
    begins(writer),
    { type: 'delta', text: 'One ', ...analyst },
    { type: 'delta', text: 'Two ', ...writer },
    { type: 'delta', text: 'fact.', ...analyst },
    { ...said('Two words.'), ...writer },
    ends(writer, 'Two words.'),
    { ...said('One fact.'), ...analyst },
    ends(analyst, 'One fact.'),
  ]);

  expect(text).toBe('analyst\nOne fact.\n\nwriter\nTwo words.\n\n');
});

test('tool calls and their results are one line each', () => {
  const { text } = print([
    begins(analyst),
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
    begins(analyst),
    { ...said('Tea.'), ...analyst },
    { type: 'message.received', text: 'And coffee?' },
  ] satisfies (Fields & Tags)[];

  expect(print(events, { hidesTask: true }).text).toBe('analyst\nTea.\n\nto the team: And coffee?\n\n');
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

const sequence: Fields = { type: 'run.started', pattern: 'sequential', agents: ['analyst', 'writer'] };
const decider = { turn: 1, agent: 'manager', step: '1/1', attempt: 1 };

test('what is asked to decide something is no speech, and holds nobody back', () => {
  const { text, lastReply } = print([
    { type: 'delta', text: '{"speaker": ', ...decider },
    { ...said('{"speaker": "writer"}'), ...decider },
    { type: 'speaker.chosen', speaker: 'writer', by: 'manager' },
    begins(writer),
    { ...said('An article.'), ...writer },
    ends(writer, 'An article.'),
    { ...said('{"done": true}'), ...decider, turn: 3, step: '3/1' },
  ]);

  expect(text).toBe('Next: writer\n\nwriter\nAn article.\n\n');
  expect(lastReply).toBe('An article.');
});

test('the log may tell of the beginning of a turn after its words, and even after its end', () => {
  const { text } = print([
    { ...said('Two words.'), ...writer },
    ends(writer, 'Two words.'),
    { type: 'delta', text: 'One ', ...analyst },
    begins(analyst),
    begins(writer),
    { ...said('One fact.'), ...analyst },
    ends(analyst, 'One fact.'),
  ]);

  expect(text).toBe('writer\nTwo words.\n\nanalyst\nOne fact.\n\n');
});

test('a turn of which the log tells nothing but the end is shown', () => {
  expect(print([ends(analyst, 'Three facts.')]).text).toBe('analyst\nThree facts.\n\n');
});

test.each(['run.finished', 'run.failed'] as const)('at %s nothing is held back any more', (type) => {
  const last = type === 'run.failed' ? { type, failure: { type: 'Run.Failed', message: 'Ended.' } } : { type };
  const { text } = print([
    begins(analyst),
    begins(writer),
    { type: 'delta', text: 'One ', ...analyst },
    { ...said('Two words.'), ...writer },
    { type: 'delta', text: '{"done": ', ...decider, turn: 3, step: '3/1' },
    last as Fields,
  ]);

  expect(text).toBe('analyst\nOne \n\nwriter\nTwo words.\n\n');
});

test('after a run was put back, its turns begin again', () => {
  const { text } = print([
    begins(analyst),
    { type: 'delta', text: 'One ', ...analyst },
    { type: 'run.rolledBack', snapshotId: 'bb', lastTurn: 0 },
    begins(analyst),
    { ...said('Two facts.'), ...analyst, step: 'b1:1/1' },
    ends(analyst, 'Two facts.'),
  ]);

  expect(text).toContain('Put back to bb, after turn 0\n\nanalyst\nTwo facts.\n\n');
});

const commands = {
  respond: (request: Addressed, answer: string) => `respond r ${respondWords(request, answer).join(' ')}`,
  requests: () => 'requests r',
};
const desk = { type: 'nested.started', operationId: 'op-1', nestedRunId: 'r/1-desk', pattern: 'handoff', agent: 'desk' } as const;
const outer = { turn: 1, agent: 'desk' };
const inner = { turn: 1, agent: 'shipping', step: '1/1', attempt: 1, nested: 'r/1-desk' };

test('what is said in a nested run comes at once, with where it is said; the question names the id that an answer takes here', () => {
  const asks = [
    sequence,
    begins(outer),
    desk,
    { ...begins(inner), nested: 'r/1-desk' },
    { type: 'delta', text: 'Which ', ...inner },
    { ...said('Which one?'), ...inner },
    { ...ends(inner, 'Which one?'), nested: 'r/1-desk' },
    { type: 'request.opened', requestId: 'question-1', kind: 'question', prompt: 'Which one?', agent: 'shipping', nested: 'r/1-desk' },
  ] satisfies (Fields & Tags)[];
  const answers = [
    { type: 'request.answered', requestId: 'op-1~question-1', response: 'The red one.', by: 'anna' },
    { type: 'request.answered', requestId: 'question-1', response: 'The red one.', by: 'anna', nested: 'r/1-desk' },
    { type: 'message.received', text: 'The red one.', author: 'anna', nested: 'r/1-desk' },
    { type: 'nested.ended', operationId: 'op-1', nestedRunId: 'r/1-desk', status: 'completed', agent: 'desk' },
    ends(outer, 'Which one?'),
  ] satisfies (Fields & Tags)[];
  const asked =
    'sequential: analyst, writer\n\ndesk › shipping\nWhich one?\n\n' +
    'desk › shipping asks you (op-1~question-1).\nanswer:  respond r op-1~question-1 …\n\n';

  expect(print(asks, { commands }).text).toBe(asked);
  expect(print([...asks, ...answers], { commands, hidesTask: true }).text).toBe(
    `${asked}op-1~question-1 is answered by anna: The red one.\n\n`,
  );
});

test('a request names those who are asked, and what becomes of it while nobody answers', () => {
  const opened = { type: 'request.opened', requestId: 'approve-1-1-0', kind: 'toolApproval', prompt: 'Pay?', agent: 'desk' } as const;
  const about = { requestId: 'approve-1-1-0' };
  const { text } = print(
    [
      { ...opened, assignee: ['ann', 'bob'], role: 'finance' },
      { type: 'request.reminded', ...about, times: 1 },
      { type: 'request.escalated', ...about, times: 1, role: 'management' },
      { type: 'request.expired', ...about, response: 'reject' },
      { ...opened, role: 'finance' },
      { type: 'request.withdrawn', ...about, reason: 'something new was said' },
    ],
    { commands },
  );

  expect(text).toContain('desk asks ann or bob (approve-1-1-0):\nPay?\nanswer:  respond r approve-1-1-0 … --by ann\n');
  expect(text).toContain(
    'approve-1-1-0 still waits for an answer.\n\napprove-1-1-0 is passed on to management.\n\n' +
      'approve-1-1-0 has expired, and this counts as the answer: reject.\n\ndesk asks finance (approve-1-1-0):\nPay?\nanswer:  respond r approve-1-1-0 …\n',
  );
  expect(text).toMatch(/approve-1-1-0 needs no answer any more: something new was said\.\n/);
});

test('a run in a run in a run: the ids of all levels are put together', () => {
  const { text } = print(
    [
      desk,
      { type: 'nested.started', operationId: 'op-2.1.0', nestedRunId: 'r/x', pattern: 'handoff', agent: 'stock', nested: 'r/1-desk' },
      { type: 'request.opened', requestId: 'question-1', kind: 'question', prompt: 'How many?', agent: 'clerk', nested: 'r/x' },
    ],
    { commands },
  );

  expect(text).toBe(
    'desk › stock › clerk asks you (op-1~op-2.1.0~question-1):\nHow many?\nanswer:  respond r op-1~op-2.1.0~question-1 …\n\n',
  );
});

test('where it is not known how runs are nested, the command that lists what is asked is named', () => {
  const { text } = print(
    [{ type: 'request.opened', requestId: 'question-1', kind: 'question', prompt: 'How many?', agent: 'clerk', nested: 'r/1-desk' }],
    { commands },
  );

  expect(text).toBe('1-desk › clerk asks you (question-1):\nHow many?\nhow to answer: requests r\n\n');
});

test('an agent that waits for one within lets it speak, and goes on afterwards', () => {
  const chief = { turn: 1, agent: 'chief', step: '1/1', attempt: 1 };
  const { text } = print([
    begins(chief),
    { ...said('I ask the desk.'), calls: ['ask_desk'], ...chief },
    { ...desk, operationId: 'op-1.1.0' },
    { ...begins(inner), nested: 'r/1-desk' },
    { ...said('Forty.'), ...inner },
    { ...ends(inner, 'Forty.'), nested: 'r/1-desk' },
    { ...said('It is forty.'), ...chief, step: '1/2' },
    ends(chief, 'It is forty.'),
  ]);

  expect(text).toBe('chief\nI ask the desk.\n\ndesk › shipping\nForty.\n\nchief\nIt is forty.\n\n');
});

test('what a nested run comes to is shown where nobody in it has said so', () => {
  const { text } = print([
    begins(outer),
    desk,
    { ...begins(inner), nested: 'r/1-desk' },
    { ...said('yes'), ...inner },
    { ...ends(inner, 'yes'), nested: 'r/1-desk' },
    ends(outer, '{"winner":"yes"}'),
  ]);

  expect(text).toBe('desk › shipping\nyes\n\ndesk\n{"winner":"yes"}\n\n');
});

test('a plan to be reviewed keeps its lines, and is shown once', () => {
  const schema: JsonObject = {
    anyOf: [
      { enum: ['approve', 'reject'] },
      { properties: { decision: { enum: ['approve', 'reject', 'revise'] }, feedback: { type: 'string' } }, required: ['decision'] },
    ],
  };
  const { text } = print(
    [
      { type: 'plan.made', plan: '1. Look.\n2. Write.', facts: 'none', reset: 0 },
      {
        type: 'request.opened',
        requestId: 'plan-0-0',
        kind: 'planReview',
        prompt: 'The plan:\n1. Look.\n2. Write.\n\nWhat is known:\n- nothing\n- at all',
        schema,
        agent: 'manager',
      },
    ],
    { commands },
  );

  expect(text).toBe(
    'Plan:\n1. Look.\n2. Write.\n\nmanager asks you (plan-0-0):\nWhat is known:\n- nothing\n- at all\n' +
      'approve:  respond r plan-0-0 approve\nreject:   respond r plan-0-0 reject\n' +
      'revise:   respond r plan-0-0 {"decision":"revise","feedback":"…"}\n\n',
  );
});
