import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { JsonObject } from '../../src/contract/json.js';
import { callsOf, textOf, type Message } from '../../src/contract/message.js';
import type { HttpModelMessage, HttpModelRequest } from '../../src/llm/http-model.js';
import type { ModelRequest } from '../../src/llm/provider.js';
import { standInModel, standInNotice, standInReply, startStandIn } from '../../src/llm/stand-in.js';
import { cpuMs } from '../support/cpu.js';
import { apis, message, providerOf, requestOf, type Api } from './support.js';

const ferry = readFileSync(new URL('stand-in/ferry.md', import.meta.url), 'utf8');

const team = {
  analyst: 'You are an analyst. Extract the facts, figures and names that matter from the document.',
  writer: "You are a writer. From the analyst's facts and the document, draft a short article.",
  editor: "You are an editor. Shorten and polish the writer's draft.",
};

/** What analyst, writer and editor say about a document, over real HTTP. */
async function chain(
  document: string,
  api: Api = 'chat',
  replyMs = 0,
): Promise<{ analyst: string; writer: string; editor: string; models: string[] }> {
  const standIn = await startStandIn({ replyMs });
  const messages: Message[] = [message('user', `Write about this document:\n\n${document}`)];
  const replies: string[] = [];
  const models: string[] = [];
  for (const [agent, instructions] of Object.entries(team)) {
    const reply = await providerOf(api, standIn).complete(requestOf(messages, { agent, instructions }));
    replies.push(textOf(reply.message));
    models.push(reply.facts.model);
    messages.push({ ...reply.message, authorName: agent });
  }
  await standIn.close();
  const [analyst = '', writer = '', editor = ''] = replies;
  return { analyst, writer, editor, models };
}

function ask(messages: [role: string, content: string][], more: Partial<HttpModelRequest> = {}) {
  return standInReply(
    requestTo(
      messages.map(([role, content]) => ({ role, content })),
      more,
    ),
  );
}

function requestTo(messages: HttpModelMessage[], more: Partial<HttpModelRequest> = {}): HttpModelRequest {
  return { api: 'chat', model: 'm', messages, tools: [], headers: {}, body: {}, signal: new AbortController().signal, ...more };
}

const wordsIn = (text: string) => text.split(/\s+/).filter(Boolean).length;

describe('analyst, writer and editor over a document', () => {
  test('say three different things, all of them from the document', async () => {
    const { analyst, writer, editor } = await chain(ferry);

    expect(analyst).toContain('**Key facts**');
    expect(analyst).toMatch(/^\*\*Subject:\*\* The last rope ferry of Aldmoor$/m);
    expect(analyst).toMatch(/\*\*Figures:\*\* .*38,000 pounds/);
    expect(analyst).toMatch(/\*\*Names:\*\* .*Ruth Calder/);
    expect(writer).toMatch(/^# The last rope ferry of Aldmoor/);
    expect(writer).toContain('**What it earns today.** In 2023 the ferry carried 61,000 passengers');
    expect(wordsIn(writer)).toBeGreaterThan(150);
    expect(editor).not.toContain('#');
    expect(wordsIn(editor)).toBeGreaterThan(40);
    expect(wordsIn(editor)).toBeLessThan(wordsIn(writer) * 0.7);
    expect(new Set([analyst, writer, editor]).size).toBe(3);
  });

  test('every sentence of the article stands in the document', async () => {
    const { writer } = await chain(ferry);
    const body = writer
      .split('\n\n')
      .slice(2, -1)
      .map((paragraph) => paragraph.replace(/^\*\*.*?\*\* /, ''));
    const flat = ferry.replace(/\s+/g, ' ');

    expect(body).toHaveLength(4);
    for (const sentence of body.flatMap((paragraph) => paragraph.split(/(?<=[.!?]) /))) expect(flat).toContain(sentence);
  });

  test('change with the document', async () => {
    const before = await chain(ferry);
    const after = await chain(ferry.replaceAll('61,000', '90,500').replaceAll('Calder', 'Marlow').replace('# The last', '# The first'));

    for (const agent of ['analyst', 'writer', 'editor'] as const) {
      expect(after[agent]).not.toBe(before[agent]);
      expect(after[agent]).toMatch(/90,500.*/s);
      expect(after[agent]).toContain('Marlow');
      expect(after[agent]).not.toContain('Calder');
      expect(after[agent]).toContain('The first rope ferry');
    }
  });

  test('are the same for the same document, over both APIs', async () => {
    const [first, second, third] = [await chain(ferry), await chain(ferry), await chain(ferry, 'responses')];

    expect(second).toEqual(first);
    expect(third).toEqual(first);
  });

  test('say that it is a stand-in who speaks', async () => {
    expect((await chain(ferry)).models).toEqual([standInModel, standInModel, standInModel]);
    expect(standInModel).toBe('ostinato-stand-in');
    expect(standInNotice).toMatch(/stand-in.*OPENAI_API_KEY/);
  });

  test.each([
    ['plain text without headings', ferry.replace(/^#.*$/gm, '')],
    ['a text on one line', ferry.replace(/^#.*$/gm, '').replace(/\s+/g, ' ')],
    [
      'a short text',
      'The ferry was saved by Ruth Calder in 2019. It has carried people for 140 years. Now it carries bicycles too, and children may pull the rope themselves.',
    ],
    [
      'a list',
      '# Shopping\n\n- Two kilograms of apples\n- Bread from the bakery on the corner\n- A birthday present for Amir, who likes boats',
    ],
    ['a table', '# Prices\n\n| ticket | price |\n|---|---|\n| adult | 2 pounds |\n| resident | 50 pence |'],
    [
      'another language',
      'Die Fähre von Aldmoor fährt seit 140 Jahren. Im Jahr 2023 fuhren 61.000 Fahrgäste mit ihr. Das Wetter ist die größte Gefahr.',
    ],
    ['code alone', '```js\nconsole.log(1)\n```'],
    ['one word', 'Tea'],
    ['no text', ' '],
  ])('always have something to say: %s', async (_, document) => {
    const { analyst, writer, editor } = await chain(document);

    for (const reply of [analyst, writer, editor]) expect(reply.trim()).not.toBe('');
    expect(editor.length).toBeLessThanOrEqual(writer.length);
  });
});

describe('a conversation goes on', () => {
  const about = (question: string): string => {
    const draft =
      ask([
        ['system', team.writer],
        ['user', ferry],
      ]).text ?? '';
    return (
      ask([
        ['system', team.editor],
        ['user', `Write about this document:\n\n${ferry}`],
        ['user', `[writer]\n${draft}`],
        ['assistant', draft.slice(0, 500)],
        ['user', question],
      ]).text ?? ''
    );
  };

  test.each([
    ['When was the trust founded?', 'A trust was founded in March 2020.'],
    ['What does a crossing cost?', 'A crossing costs 2 pounds, and residents of Aldmoor pay 50 pence.'],
    ['what is the greatest risk', 'The greatest risk is the weather.'],
    ['How many passengers were there in 2023?', '61,000 passengers'],
    ['Who redesigned the rope system?', 'Dr. Amir Sethi'],
    ['How many school groups come?', 'School groups make up a fifth of the passengers.'],
  ])('%s', (question, expected) => {
    expect(about(question)).toContain(expected);
  });

  test('what was not said is not invented', () => {
    expect(about('Who is Napoleon?')).toMatch(/^Nothing that was said here answers “Who is Napoleon\?”\. It was about ferry/);
  });

  test('it can be asked to make its words shorter', () => {
    expect(about('Make it shorter, please.').length).toBeLessThan(500);
    expect(
      about('Summarise it in one sentence.')
        .split(/[.!?](?:\s|$)/)
        .filter(Boolean),
    ).toHaveLength(1);
  });

  test('a question to the whole team is answered by each of them', () => {
    const said: [string, string][] = [
      ['user', ferry],
      [
        'assistant',
        ask([
          ['system', team.writer],
          ['user', ferry],
        ]).text ?? '',
      ],
      ['user', '[editor]\nA ferry crosses the river.'],
      ['user', 'When was the trust founded?'],
      ['user', '[analyst]\nA trust was founded in March 2020.'],
    ];

    expect(ask([['system', team.writer], ...said]).text).toBe('A trust was founded in March 2020.');
  });

  test('what a person told is remembered', () => {
    const hello = ask([['user', 'My name is Ada and I live in Oslo.']]).text ?? '';

    expect(hello).toBe('Noted: My name is Ada and I live in Oslo.');
    expect(
      ask([
        ['user', 'My name is Ada and I live in Oslo.'],
        ['assistant', hello],
        ['user', 'Where do I live?'],
      ]).text,
    ).toBe('My name is Ada and I live in Oslo.');
  });

  test('a task without a text is answered honestly', () => {
    expect(
      ask([
        ['system', team.writer],
        ['user', 'Tell me about tea'],
      ]).text,
    ).toMatch(/knows nothing of the world.*Tell me about tea/);
    expect(ask([]).text).toBe('Nothing was said yet. Give me a text to work on.');
  });
});

describe('instructions say what is done', () => {
  test.each([
    ['an outline', 'Outline the document.', /^1\. Introduction\n {3}- For 140 years[\s\S]*^2\. How it was saved$/m],
    ['three facts', 'Extract three facts.', /\*\*Key facts\*\*\n(?:- .*\n){3}\n/],
    ['two sentences', 'Summarise in two sentences.', /^[^.]+\. [^.]+\.$/],
    ['at most 40 words', 'Write an article of at most 40 words.', /^# The last rope ferry[^…]{50,250} …$/],
  ])('%s', (_, instructions, expected) => {
    expect(
      ask([
        ['system', instructions],
        ['user', ferry],
      ]).text,
    ).toMatch(expected);
  });

  test('the task says it where the instructions do not, before the text or after it', () => {
    const inTwo = /^[^.]+\. [^.]+\.$/;

    expect(
      ask([
        ['system', 'Be helpful.'],
        ['user', `Summarise this in two sentences:\n\n${ferry}`],
      ]).text,
    ).toMatch(inTwo);
    expect(
      ask([
        ['system', 'Be helpful.'],
        ['user', `${ferry}\n\nSummarise this in two sentences.`],
      ]).text,
    ).toMatch(inTwo);
    expect(ask([['user', `${ferry}\n\nWhen was the trust founded?`]]).text).toBe('A trust was founded in March 2020.');
  });

  test.each([
    ['Choose one of: billing, support or sales. Reply with the name only.', 'I need support with my printer', 'support'],
    [
      'Classify the message:\n- billing: invoices, payments, refunds\n- technical: errors, crashes, login\n- other: anything else',
      'The app crashes at login',
      'technical',
    ],
    [
      'Route to one of these agents:\n- **billing** – invoices, payments and refunds\n- **technical** – errors and crashes',
      'I want my payment back',
      'billing',
    ],
    ["Decide between 'yes' and 'no'.", 'No, I do not want it', 'no'],
    ['Classify into urgent, normal or low.', 'Nothing of it', 'urgent'],
  ])('a choice is made: %s', (instructions, said, expected) => {
    expect(
      ask([
        ['system', instructions],
        ['user', said],
      ]).text,
    ).toBe(expected);
  });
});

describe('tools', () => {
  const tool = (name: string, description: string, properties: JsonObject, required = Object.keys(properties)) => ({
    name,
    description,
    parameters: { type: 'object', properties, required },
  });
  const text = { type: 'string' };
  const tools = [
    tool('weather', 'Current weather of a city.', { city: text, unit: { type: 'string', enum: ['celsius', 'fahrenheit'] } }, ['city']),
    tool('lookupOrder', 'Finds an order by its id.', { orderId: text }),
    tool('add', 'Adds two numbers.', { a: { type: 'number' }, b: { type: 'number' } }),
    tool('wordCount', 'Counts the words of a text.', { text }),
    tool('train', 'Finds trains between two cities.', { from: text, to: text }),
    tool('send', 'Sends an email to somebody.', { email: text, urgent: { type: 'boolean' } }, ['email']),
  ];

  test.each([
    ['What is the weather in New York in celsius?', 'weather', { city: 'New York', unit: 'celsius' }],
    ['how is the weather in oslo?', 'weather', { city: 'oslo' }],
    ['Where is my order 1042?', 'lookupOrder', { orderId: '1042' }],
    ['Please add 3 and 4.5', 'add', { a: 3, b: 4.5 }],
    ['Is there a train from Oslo to Bergen?', 'train', { from: 'Oslo', to: 'Bergen' }],
    ['Send an urgent email to ada@example.com', 'send', { email: 'ada@example.com', urgent: true }],
  ])('%s', (question, name, args) => {
    expect(
      ask(
        [
          ['system', 'You help.'],
          ['user', question],
        ],
        { tools },
      ),
    ).toEqual({ model: standInModel, calls: [{ name, arguments: args }] });
  });

  test.each(['What is the weather like?', 'Thank you!', 'Tell me a story about boats.'])(
    'are left alone where they are not called for, or an argument is missing: %s',
    (said) => {
      expect(
        ask(
          [
            ['system', 'You help.'],
            ['user', said],
          ],
          { tools },
        ).calls,
      ).toBeUndefined();
    },
  );

  test('are used where the instructions say so, and their results join the reply', () => {
    const system = 'You are an analyst. Use wordCount, then extract the facts.';
    const first = ask(
      [
        ['system', system],
        ['user', ferry],
      ],
      { tools },
    );
    const second = standInReply(
      requestTo(
        [
          { role: 'system', content: system },
          { role: 'user', content: ferry },
          { role: 'assistant', content: '', calls: [{ id: 'c1', name: 'wordCount', arguments: '{}' }] },
          { role: 'tool', callId: 'c1', content: '384' },
        ],
        { tools },
      ),
    );

    expect(first.calls).toEqual([{ name: 'wordCount', arguments: { text: ferry.trim() } }]);
    expect(second.text).toMatch(/^\*\*Subject:\*\*[\s\S]*\n\nwordCount: 384$/);
  });

  test('their result is the answer, and is remembered', async () => {
    const standIn = await startStandIn({ replyMs: 0 });
    const request: ModelRequest = requestOf([message('user', 'What is the weather in Oslo?')], {
      instructions: 'You help travellers.',
      tools,
    });

    const called = await providerOf('chat', standIn).complete(request);
    const [call] = callsOf(called.message);
    const answered = await providerOf('chat', standIn).complete({
      ...request,
      messages: [
        ...request.messages,
        { message: { ...called.message, authorName: 'writer' } },
        { message: message('tool', [{ $type: 'functionResult', callId: call!.callId, result: { city: 'Oslo', sky: 'rain' } }], 'writer') },
      ],
    });

    await standIn.close();
    expect(call).toMatchObject({ name: 'weather', arguments: { city: 'Oslo' } });
    expect(textOf(answered.message)).toBe('weather: city Oslo, sky rain');
  });

  test('are not used when an answer is due', () => {
    expect(ask([['user', 'What is the weather in Oslo?']], { tools, toolChoice: 'none' }).calls).toBeUndefined();
  });
});

describe('a schema is filled from the text', () => {
  const schema = z.object({
    title: z.string(),
    summary: z.string().max(120),
    passengers: z.int(),
    floodDays: z.int(),
    tags: z.array(z.string()).min(2).max(4),
    sentiment: z.enum(['positive', 'negative', 'neutral']),
    people: z.array(z.object({ name: z.string() })),
    isOpen: z.boolean(),
    rating: z.number().min(0).max(10),
    nested: z.object({ note: z.string().nullable(), kind: z.literal('ferry') }),
    choice: z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]),
  });

  test.each(apis)('and valid, over %s', async (api) => {
    const standIn = await startStandIn({ replyMs: 0 });
    const request = requestOf([message('user', ferry)], { outputSchema: z.toJSONSchema(schema) as JsonObject });

    const filled = schema.parse(JSON.parse(textOf((await providerOf(api, standIn).complete(request)).message)));

    await standIn.close();
    expect(filled).toMatchObject({ title: 'The last rope ferry of Aldmoor', passengers: 61_000, floodDays: 46 });
    expect(filled.tags).toContain('ferry');
    expect(ferry.replace(/\s+/g, ' ')).toContain(filled.summary);
  });

  test('also where the text says next to nothing, or the schema refers to itself', () => {
    const tree = {
      $ref: '#/$defs/node',
      $defs: { node: { type: 'object', properties: { name: { type: 'string' }, next: { $ref: '#/$defs/node' } } } },
    };

    for (const words of ['tea', '']) {
      const reply = ask([['user', words]], { outputSchema: z.toJSONSchema(schema) as JsonObject });
      expect(schema.safeParse(JSON.parse(reply.text ?? '')).error?.issues ?? []).toEqual([]);
      expect(JSON.parse(ask([['user', words]], { outputSchema: tree }).text ?? '')).toHaveProperty('next.next.name');
    }
  });
});

describe('how it is said', () => {
  test('within about the time that was asked for, and at once when none is', async () => {
    const timed = async (replyMs: number) => {
      const standIn = await startStandIn({ replyMs });
      const began = performance.now();
      await providerOf('chat', standIn).complete(requestOf([message('user', ferry)], { instructions: team.analyst }));
      const took = performance.now() - began;
      await standIn.close();
      return took;
    };

    const [slowly, atOnce] = [await timed(3000), await timed(0)];

    expect(slowly).toBeGreaterThan(2250);
    expect(atOnce).toBeLessThan(slowly / 2);
  });

  test('no longer than the limit of tokens, and cut there', () => {
    const { text, finishReason } = ask(
      [
        ['system', team.analyst],
        ['user', ferry],
      ],
      { maxOutputTokens: 20 },
    );

    expect(text).toHaveLength(80);
    expect(finishReason).toBe('length');
  });

  test('a conversation of a megabyte is answered in less than 200 ms', () => {
    const long = Array.from({ length: 480 }, (_, i) => ferry.replaceAll('ferry', `ferry${i}`)).join('\n\n');
    const requests: [role: string, content: string][][] = [
      [
        ['system', team.analyst],
        ['user', long],
      ],
      [
        ['system', team.writer],
        ['user', long.slice(0, 500_000)],
        ['user', `[analyst]\n${long.slice(500_000)}`],
      ],
      [
        ['system', team.editor],
        ['user', long.slice(0, 500_000)],
        ['user', `[writer]\n${long.slice(500_000)}`],
      ],
      [
        ['user', long],
        ['assistant', 'Noted.'],
        ['user', 'What does ferry479 cost?'],
      ],
    ];

    expect(long.length).toBeGreaterThan(1_000_000);
    for (const request of requests) {
      const times = Array.from({ length: 5 }, () => {
        const began = cpuMs();
        ask(request);
        return cpuMs() - began;
      });
      expect(Math.min(...times)).toBeLessThan(200);
    }
  });
});
