import { describe, expect, test } from 'vitest';
import type { Content, Message } from '../../src/contract/message.js';
import { jsonBytes } from '../../src/contract/size.js';
import type { Entry, ReplyFacts } from '../../src/contract/transcript.js';
import { pageAgentState, projectAgentState, type AgentStateEntry } from '../../src/state/agent-state.js';
import { problemsOfDocument } from './contract-rules.js';
import { cpuMs } from '../support/cpu.js';

const text = (words: string): Content => ({ $type: 'text', text: words });
const call = (callId: string, members: object = { city: 'Oslo' }): Content => ({
  $type: 'functionCall',
  callId,
  name: 'weather',
  arguments: members as never,
});
const result = (callId: string, value: unknown = 'rain'): Content => ({ $type: 'functionResult', callId, result: value as never });
const at = (minute: number) => `2026-01-31T09:${String(minute).padStart(2, '0')}:00.120Z`;
const written = (minute: number) => at(minute).replace('.120Z', '.12+00:00');

/** A transcript, told line by line. */
class Story {
  readonly entries: Entry[] = [];
  #ordinal = 0;

  user(words: string, fields: Partial<Message> = {}): this {
    this.entries.push({ message: { role: 'user', contents: [text(words)], ...fields } });
    return this;
  }

  /** An agent's turn begins: says or does the first thing. Returns how to go on. */
  turn(agent: string, ...contents: Content[]) {
    this.#ordinal += 1;
    const turn = this.#ordinal;
    const opens = { id: `turn-${turn}`, agent, start: this.entries.length, at: at(turn) };
    this.#say(agent, turn, contents, { opens });
    return { goOn: (...more: Content[]) => this.#say(agent, turn, more) };
  }

  #say(agent: string, turn: number, contents: Content[], more: Partial<Entry> = {}): void {
    const isResult = contents.every(({ $type }) => $type === 'functionResult');
    const isTraffic = isResult || contents.some(({ $type }) => $type === 'functionCall');
    const reply: ReplyFacts = {
      model: 'm',
      finishReason: 'stop',
      usage: { inputTokens: 10, outputTokens: 1, totalTokens: 11, modelCalls: 1 },
    };
    this.entries.push({
      message: { role: isResult ? 'tool' : 'assistant', authorName: agent, createdAt: at(30 + this.entries.length), contents },
      turn,
      ...(isTraffic && { audience: [agent] }),
      ...(!isResult && { reply }),
      ...more,
    });
  }
}

function history(entries: readonly Entry[], agent: string, from?: number): AgentStateEntry[] {
  const document = projectAgentState(entries, agent, from);
  expect(problemsOfDocument(document)).toEqual([]);
  return document.data.conversationHistory;
}

/** `request: user "tea" | response: guide "green"` */
function outline(entries: readonly AgentStateEntry[]): string[] {
  return entries.map(
    ({ $type, messages }) =>
      `${$type}: ${messages.map(({ role, authorName, contents }) => [role, authorName, ...contents.map(wordsOf)].filter(Boolean).join(' ')).join(' | ')}`,
  );
}

function wordsOf(content: Content): string {
  if (content.$type === 'text') return content.text;
  return content.$type === 'functionCall' || content.$type === 'functionResult' ? `${content.$type}(${content.callId})` : content.$type;
}

describe('the state document of an agent', () => {
  test('has a request and a response for each of its turns', () => {
    const story = new Story().user('tea?');
    story.turn('guide', text('Green.'));
    story.user('And coffee?');
    story.turn('guide', text('Black.'));

    expect(projectAgentState(story.entries, 'guide')).toEqual({
      schemaVersion: '1.1.0',
      data: {
        conversationHistory: [
          {
            $type: 'request',
            correlationId: 'turn-1',
            createdAt: written(1),
            messages: [{ role: 'user', contents: [text('tea?')] }],
            responseType: 'text',
          },
          {
            $type: 'response',
            correlationId: 'turn-1',
            createdAt: written(31),
            messages: [{ role: 'assistant', authorName: 'guide', createdAt: written(31), contents: [text('Green.')] }],
            usage: { inputTokenCount: 10, outputTokenCount: 1, totalTokenCount: 11 },
          },
          {
            $type: 'request',
            correlationId: 'turn-2',
            createdAt: written(2),
            messages: [{ role: 'user', contents: [text('And coffee?')] }],
            responseType: 'text',
          },
          {
            $type: 'response',
            correlationId: 'turn-2',
            createdAt: written(33),
            messages: [{ role: 'assistant', authorName: 'guide', createdAt: written(33), contents: [text('Black.')] }],
            usage: { inputTokenCount: 10, outputTokenCount: 1, totalTokenCount: 11 },
          },
        ],
      },
    });
  });

  test('is empty when the agent has not spoken', () => {
    expect(history(new Story().user('tea?').entries, 'guide')).toEqual([]);
  });

  test('tells what others said as said by users, with their names and without their thoughts', () => {
    const story = new Story().user('tea?');
    story.turn('analyst', { $type: 'reasoning', text: 'Hm.' }, text('Facts.'));
    story.turn('writer', { $type: 'reasoning', text: 'Let me see.' }, text('A draft.'));

    const [request, response] = history(story.entries, 'writer');

    expect(request?.messages).toEqual([
      { role: 'user', contents: [text('tea?')] },
      { role: 'user', authorName: 'analyst', createdAt: written(31), contents: [text('Facts.')] },
    ]);
    expect(response?.messages[0]?.contents).toEqual([{ $type: 'reasoning', text: 'Let me see.' }, text('A draft.')]);
  });

  test('tells only what is new since its last turn', () => {
    const story = new Story().user('tea?');
    story.turn('writer', text('Draft 1.'));
    story.turn('critic', text('Too long.'));
    story.turn('writer', text('Draft 2.'));
    story.turn('critic', text('Good.'));

    expect(outline(history(story.entries, 'writer'))).toEqual([
      'request: user tea?',
      'response: assistant writer Draft 1.',
      'request: user critic Too long.',
      'response: assistant writer Draft 2.',
    ]);
    expect(outline(history(story.entries, 'critic'))).toEqual([
      'request: user tea? | user writer Draft 1.',
      'response: assistant critic Too long.',
      'request: user writer Draft 2.',
      'response: assistant critic Good.',
    ]);
  });

  test('holds tool calls and their results in order, as the agent’s own, and nobody else’s', () => {
    const story = new Story().user('weather?');
    const turn = story.turn('guide', text('Let me look.'), call('c1'), call('c2'));
    turn.goOn(result('c1'));
    turn.goOn(result('c2', { degrees: 3 }));
    turn.goOn(text('Rain.'));
    story.turn('editor', text('Rain!'));

    const [, response] = history(story.entries, 'guide');

    expect(outline(history(story.entries, 'guide'))[1]).toBe(
      'response: assistant guide Let me look. functionCall(c1) functionCall(c2) | tool guide functionResult(c1) | tool guide functionResult(c2) | assistant guide Rain.',
    );
    expect(response).toMatchObject({ usage: { inputTokenCount: 20, outputTokenCount: 2, totalTokenCount: 22 }, createdAt: written(34) });
    expect(outline(history(story.entries, 'editor'))[0]).toBe('request: user weather? | user guide Rain.');
  });

  test('keeps interleaved turns of agents that speak at the same time apart', () => {
    const { entries } = new Story().user('weather?');
    const opens = (agent: string, turn: number) => ({ id: `turn-${turn}`, agent, start: 1, at: at(turn) });
    const say = (agent: string, turn: number, contents: Content[], more: Partial<Entry> = {}) =>
      entries.push({ message: { role: 'assistant', authorName: agent, contents }, turn, ...more });
    say('a', 1, [call('a1')], { opens: opens('a', 1), audience: ['a'] });
    say('b', 2, [call('b1')], { opens: opens('b', 2), audience: ['b'] });
    entries.push({ message: { role: 'tool', contents: [result('b1')] }, turn: 2, audience: ['b'] });
    entries.push({ message: { role: 'tool', contents: [result('a1')] }, turn: 1, audience: ['a'] });
    say('b', 2, [text('B.')]);
    say('a', 1, [text('A.')]);
    say('a', 3, [text('Both.')], { opens: { ...opens('a', 3), start: entries.length } });

    expect(outline(history(entries, 'a'))).toEqual([
      'request: user weather?',
      'response: assistant a functionCall(a1) | tool a functionResult(a1) | assistant a A.',
      'request: user b B.',
      'response: assistant a Both.',
    ]);
    expect(outline(history(entries, 'b'))).toEqual([
      'request: user weather?',
      'response: assistant b functionCall(b1) | tool b functionResult(b1) | assistant b B.',
    ]);
  });

  test('says of a turn that goes on what it was asked, and not yet what it does', () => {
    const story = new Story().user('weather?');
    const turn = story.turn('guide', call('c1'));

    expect(outline(history(story.entries, 'guide'))).toEqual(['request: user weather?']);
    turn.goOn(result('c1'));
    expect(outline(history(story.entries, 'guide'))).toEqual(['request: user weather?']);
    turn.goOn(text('Rain.'));
    expect(history(story.entries, 'guide')).toHaveLength(2);
  });

  test('ends a turn with the move that it made: what was said and called, and what was answered', () => {
    const story = new Story().user('refund?');
    const turn = story.turn('guide', text('Over to the desk.'), call('c1'), call('c2'));
    turn.goOn(result('c1'));
    expect(outline(history(story.entries, 'guide'))).toEqual(['request: user refund?']);
    turn.goOn(result('c2', 'the conversation goes over to desk.'));
    (story.entries.at(-1) as Entry).ends = { handoff: 'desk' };
    // Words beside a move are said to everybody.
    delete (story.entries[1] as Entry).audience;

    expect(outline(history(story.entries, 'guide'))).toEqual([
      'request: user refund?',
      'response: assistant guide Over to the desk. functionCall(c1) functionCall(c2) | tool guide functionResult(c1) | tool guide functionResult(c2)',
    ]);
    story.turn('desk', text('Done.'));
    expect(outline(history(story.entries, 'desk'))).toEqual([
      'request: user refund? | user guide Over to the desk.',
      'response: assistant desk Done.',
    ]);
  });

  test('says of a turn that was given up what was done: calls with results, and no others', () => {
    const story = new Story().user('weather?');
    const turn = story.turn('guide', call('c1'), call('c2'));
    turn.goOn(result('c1'));
    turn.goOn(call('c3'));
    story.user('Never mind.');
    story.turn('guide', text('As you wish.'));

    expect(outline(history(story.entries, 'guide'))).toEqual([
      'request: user weather?',
      'response: assistant guide functionCall(c1) | tool guide functionResult(c1)',
      'request: user Never mind.',
      'response: assistant guide As you wish.',
    ]);
  });

  test('only ever grows at its end', () => {
    const story = new Story().user('weather?');
    const first = story.turn('guide', call('c1'));
    first.goOn(result('c1'));
    story.user('Never mind.');
    story.turn('editor', text('Hello.'));
    const second = story.turn('guide', call('c2'));
    second.goOn(result('c2'));
    second.goOn(text('Rain.'));

    let before: AgentStateEntry[] = [];
    for (let length = 1; length <= story.entries.length; length++) {
      const now = history(story.entries.slice(0, length), 'guide');
      expect(now.slice(0, before.length)).toEqual(before);
      before = now;
    }
    expect(before).toHaveLength(4);
  });

  test('tells a turn that failed as an error', () => {
    const story = new Story().user('tea?');
    story.turn('guide', { $type: 'error', message: 'The model is away.', errorCode: 'Model.Unavailable' });

    expect(history(story.entries, 'guide')[1]?.messages[0]?.contents).toEqual([
      { $type: 'error', message: 'The model is away.', errorCode: 'Model.Unavailable' },
    ]);
  });

  test('puts what only this turn was told into its request', () => {
    const { entries } = new Story().user('tea?');
    entries.push({
      message: { role: 'user', contents: [text('Be brief.')] },
      turn: 1,
      opens: { id: 't', agent: 'guide', start: 1, at: at(1) },
    });

    expect(outline(history(entries, 'guide'))).toEqual(['request: user tea? | user Be brief.']);
  });

  test('hears only what is meant for it', () => {
    const { entries } = new Story().user('tea?');
    entries.push({ message: { role: 'user', contents: [text('Psst, writer.')] }, audience: ['writer'] });
    entries.push({ message: { role: 'user', contents: [text('Psst, guide.')] }, audience: ['guide'] });
    entries.push({
      message: { role: 'assistant', contents: [text('Yes?')] },
      turn: 1,
      opens: { id: 't', agent: 'guide', start: 3, at: at(1) },
    });
    entries.push({ message: { role: 'user', contents: [text('Later.')] } });

    expect(outline(history(entries, 'guide'))).toEqual(['request: user tea? | user Psst, guide.', 'response: assistant guide Yes?']);
  });

  test('of the end of a transcript begins with the first turn that opens there', () => {
    const story = new Story().user('weather?');
    story.turn('guide', call('c1')).goOn(result('c1'));
    story.turn('editor', text('Hello.'));
    story.turn('guide', text('Rain.'));

    expect(outline(history(story.entries.slice(2), 'guide', 2))).toEqual([
      'request: user editor Hello.',
      'response: assistant guide Rain.',
    ]);
  });

  test('is the same every time', () => {
    const story = new Story().user('tea?');
    story.turn('guide', text('Green.'));

    expect(JSON.stringify(projectAgentState(story.entries, 'guide'))).toBe(
      JSON.stringify(projectAgentState(structuredClone(story.entries), 'guide')),
    );
  });
});

describe('what others can read', () => {
  const project = (message: Message) => {
    const { entries } = new Story();
    entries.push({ message });
    entries.push({
      message: { role: 'assistant', contents: [text('Yes.')] },
      turn: 1,
      opens: { id: 't', agent: 'guide', start: 1, at: at(1) },
    });
    return history(entries, 'guide')[0]?.messages[0] as Message;
  };
  const content = (value: object) => project({ role: 'user', contents: [value as Content] }).contents;

  test('keeps a message from outside with everything that it carries', () => {
    const message = {
      role: 'critic',
      authorName: 'Anna',
      createdAt: '2026-01-31T09:30:00.1234567+01:00',
      contents: [{ $type: 'text', text: 'tea', annotations: [null, 1.5] } as Content],
      messageId: 'm1',
      extensionData: null,
    } as Message;

    expect(project(message)).toEqual(message);
  });

  test('writes $type first, whatever the order was, and drops what JavaScript would write before it', () => {
    const [written] = content({ 7: 'seven', text: 'tea', $type: 'text' });

    expect(JSON.stringify(written)).toBe('{"$type":"text","text":"tea"}');
  });

  test.each<[string, object, object[]]>([
    ['a text that is missing', { $type: 'text' }, [{ $type: 'text', text: '' }]],
    [
      'arguments that are missing',
      { $type: 'functionCall', callId: 'c', name: 'n' },
      [{ $type: 'functionCall', callId: 'c', name: 'n', arguments: {} }],
    ],
    [
      'arguments that are no object',
      { $type: 'functionCall', callId: 'c', name: 'n', arguments: [1] },
      [{ $type: 'functionCall', callId: 'c', name: 'n', arguments: {} }],
    ],
    ['nulls inside of arguments', call('c', { city: null }), [call('c', { city: null })]],
    ['a result that is null', result('c', null), [{ $type: 'functionResult', callId: 'c' }]],
    ['details that are no text', { $type: 'error', message: null, details: { code: 5 } }, [{ $type: 'error', details: '{"code":5}' }]],
    ['a reasoning without words', { $type: 'reasoning', text: null }, [{ $type: 'reasoning' }]],
    [
      'usage with nulls',
      { $type: 'usage', usage: { inputTokenCount: 1, totalTokenCount: null } },
      [{ $type: 'usage', usage: { inputTokenCount: 1 } }],
    ],
    ['usage without counts', { $type: 'usage', usage: null }, [{ $type: 'usage', usage: {} }]],
    ['an unknown that is empty', { $type: 'unknown', content: {} }, []],
    ['an unknown without content', { $type: 'unknown' }, []],
    ['a kind that readers do not know', { $type: 'image', url: 'x' }, [{ $type: 'unknown', content: { $type: 'image', url: 'x' } }]],
    ['a kind that looks like JavaScript', { $type: 'toString' }, [{ $type: 'unknown', content: { $type: 'toString' } }]],
  ])('copes with %s', (_, given, contents) => {
    expect(content(given)).toEqual(contents);
  });

  test.each(['Tuesday', '2026-02-30T09:30:00Z', '2026-01-31', '2026-01-31T24:00:00Z', '2026-01-31T09:30:00+23:00'])(
    'leaves out a time that .NET could not read: %s',
    (createdAt) => {
      expect(project({ role: 'user', createdAt, contents: [text('x')] })).not.toHaveProperty('createdAt');
    },
  );
});

describe('a page of the document', () => {
  const story = new Story();
  for (let i = 0; i < 50; i++) {
    story.user(`${i}: ${'x'.repeat(100)}`);
    story.turn('guide', text(`${i}.`));
  }
  const whole = projectAgentState(story.entries, 'guide').data.conversationHistory;

  test('has as many entries as are asked for, and says where to go on', () => {
    const page = pageAgentState(story.entries, 'guide', { after: 10, limit: 5 });

    expect(page).toEqual({ schemaVersion: '1.1.0', length: 100, from: 10, entries: whole.slice(10, 15), next: 15 });
  });

  test('never has more bytes than are allowed, and all pages together are the document', () => {
    const entries: AgentStateEntry[] = [];
    for (let after: number | undefined = 0; after !== undefined;) {
      const page = pageAgentState(story.entries, 'guide', { after, maxBytes: 2000 });
      expect(jsonBytes(page.entries)).toBeLessThan(2100);
      entries.push(...page.entries);
      after = page.next;
    }

    expect(entries).toEqual(whole);
  });

  test('has an entry that fits no page without its messages, and says so', () => {
    const large = new Story().user('tea?');
    large.turn('guide', text('y'.repeat(5000)));
    large.user('coffee?');
    large.turn('guide', text('Black.'));

    const page = pageAgentState(large.entries, 'guide', { maxBytes: 2000 });

    expect(page.cut).toEqual([1]);
    expect(page.entries.map(({ messages }) => messages.length)).toEqual([1, 0, 1, 1]);
    expect(page.next).toBeUndefined();
  });

  test('is empty behind the end', () => {
    expect(pageAgentState(story.entries, 'guide', { after: 500 })).toEqual({ schemaVersion: '1.1.0', length: 100, from: 100, entries: [] });
  });

  test('of a conversation of ten thousand turns is made at once', () => {
    const long = new Story();
    for (let i = 0; i < 10_000; i++) {
      long.user('tea?');
      long.turn('guide', text('Green.'));
    }
    const before = cpuMs();

    const page = pageAgentState(long.entries, 'guide', { after: 19_990 });

    expect(page.entries).toHaveLength(10);
    expect(cpuMs() - before).toBeLessThan(1000);
  });
});
