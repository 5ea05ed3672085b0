import { describe, expect, test } from 'vitest';
import { createAskModel } from '../../src/activities/ask-model.js';
import { createTeamCache } from '../../src/activities/team-cache.js';
import { Transcripts } from '../../src/activities/transcripts.js';
import { fail, type FailureType } from '../../src/contract/failure.js';
import { textOf } from '../../src/contract/message.js';
import { sizes } from '../../src/contract/size.js';
import type { AskModelInput, AskModelOutput } from '../../src/contract/step.js';
import type { Entry } from '../../src/contract/transcript.js';
import type { ModelRequest, ModelResponse } from '../../src/llm/provider.js';
import { createProviders } from '../../src/llm/providers.js';
import { activityEnvironment, failureFrom } from '../support/activity.js';
import { memoryStore } from '../support/memory-store.js';

const usage = { inputTokens: 3, outputTokens: 2, totalTokens: 5, modelCalls: 1 };
const schema = { type: 'object', properties: { label: { type: 'string' } }, required: ['label'] };
const lead = {
  name: 'lead',
  instructions: 'You lead.',
  model: 'default/small',
  maxToolRounds: 16,
  tools: [{ name: 'search', description: 'Searches.', parameters: { type: 'object' } }],
  temperature: 0,
  outputSchema: { type: 'object', properties: { mine: {} } },
};

const said = (text: string, more: Partial<Entry> & { role?: string; authorName?: string } = {}): Entry => {
  const { role = 'user', authorName, ...entry } = more;
  return { message: { role, ...(authorName && { authorName }), contents: [{ $type: 'text', text }] }, ...entry };
};

/** Answers in order: a text, or a failure of the provider. */
async function world(answers: (string | Error)[], { attempt = 1 } = {}) {
  const store = memoryStore();
  const team = await store.blobs.put(JSON.stringify({ agents: [lead] }));
  const requests: ModelRequest[] = [];
  const complete = (request: ModelRequest): Promise<ModelResponse> => {
    requests.push(request);
    const answer = answers.shift() ?? new Error('No answer is left.');
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve({
      message: { role: 'assistant', contents: [{ $type: 'text', text: answer }] },
      facts: { model: 'small-1', finishReason: 'stop', usage },
    });
  };
  const providers = createProviders({ default: { complete }, defaultModel: 'small' });
  const teams = createTeamCache(store.blobs);
  const askModel = createAskModel({ store, transcripts: new Transcripts(store.blobs), teams, providers });
  const { run } = activityEnvironment({ attempt, workflowExecution: { workflowId: 'run-1', runId: 'r' } });
  const ask = async (more: Partial<AskModelInput> = {}): Promise<AskModelOutput> => {
    const entries = [said('tea')];
    const output = await run(askModel, {
      firstRunId: 'first',
      step: '4/1',
      turn: 4,
      agent: 'lead',
      team,
      transcript: { head: null, since: entries.map((entry) => ({ entry })) },
      start: entries.length,
      question: 'Which label?',
      schema,
      ...more,
    });
    if ('due' in output) throw new Error('The agent has no policy, and yet its conversation is to be compacted.');
    return output;
  };
  const heardIn = (index: number) => (requests[index]?.messages ?? []).map(({ message }) => textOf(message));
  return { ask, requests, heardIn, store };
}

const refused = (status: number, type: FailureType = 'Model.Refused') => fail(type, 'no', { details: [{ status }], final: true });

describe('askModel', () => {
  test('asks the agent for JSON over what was said, without its tools and the form of its own replies', async () => {
    const { ask, requests, heardIn } = await world(['{"label": "spam"}']);

    const { outcome, reply } = await ask();

    expect(outcome).toEqual({ value: { label: 'spam' } });
    expect(reply).toEqual({ model: 'small-1', finishReason: 'stop', usage });
    expect(requests).toMatchObject([
      { model: 'small', agent: 'lead', instructions: 'You lead.', tools: [], temperature: 0, outputSchema: schema },
    ]);
    expect(heardIn(0)).toEqual([
      'tea',
      `Which label?\n\nAnswer with one JSON object and nothing else. It has to fit this JSON schema:\n${JSON.stringify(schema)}`,
    ]);
  });

  test('stores what was said, and neither question nor answer', async () => {
    const { ask, store } = await world(['{"label": "spam"}']);

    const { head } = await ask();

    expect(head?.length).toBe(1);
    expect([...store.texts.values()].join()).not.toMatch(/Which label|spam/);
  });

  test('hears what the agent hears, and that from a position on', async () => {
    const entries = [
      said('old'),
      said('for lead', { audience: ['lead'] }),
      said('for others', { audience: ['coder'] }),
      said('mine', { role: 'assistant', authorName: 'lead', turn: 2 }),
      said('later'),
    ];
    const { ask, requests, heardIn } = await world(['{"label": "x"}']);

    await ask({ transcript: { head: null, since: entries.map((entry) => ({ entry })) }, from: 1, start: 4 });

    expect(heardIn(0).slice(0, -1)).toEqual(['for lead', 'mine']);
    expect(requests[0]?.messages.map(({ message }) => message.role)).toEqual(['user', 'assistant', 'user']);
  });

  test('tells what was wrong with each answer before', async () => {
    const { ask, requests, heardIn } = await world(['{"label": "spam"}']);

    await ask({
      feedback: [
        { answer: 'I think spam.', problem: 'There is no JSON in it.' },
        { answer: '{"tag": 1}', problem: 'label is missing' },
      ],
    });

    expect(heardIn(0).slice(2)).toEqual([
      'I think spam.',
      expect.stringMatching(/^That cannot be used: There is no JSON in it\.\nAnswer again\. Answer with one JSON object/) as string,
      '{"tag": 1}',
      expect.stringContaining('label is missing') as string,
    ]);
    expect(requests[0]?.messages.slice(2).map(({ message: { role, authorName } }) => [role, authorName])).toEqual([
      ['assistant', 'lead'],
      ['user', undefined],
      ['assistant', 'lead'],
      ['user', undefined],
    ]);
  });

  test('tells watchers of the answer', async () => {
    const { ask, store } = await world(['{"label": "spam"}']);

    await ask();

    expect(store.appended).toMatchObject([
      { type: 'message.completed', step: '4/1', turn: 4, agent: 'lead', text: '{"label": "spam"}', usage, model: 'small-1' },
    ]);
  });

  test('tells when it is not the first attempt', async () => {
    const { ask, store } = await world(['{"label": "spam"}'], { attempt: 3 });

    expect(await ask()).toMatchObject({ outcome: { value: { label: 'spam' } }, attempt: 3 });
    expect(store.appended[0]).toMatchObject({ type: 'step.restarted', attempt: 3 });
  });
});

describe('an answer', () => {
  test.each([
    ['in a fenced block', 'Here it is:\n```json\n{"label": "a"}\n```\nDone.', { label: 'a' }],
    ['between words', 'I say {"label": "a"}, for {reasons}.', { label: 'a' }],
    ['after others that were thought better of', '{"label": "b"}? No: {"label": "a"}', { label: 'a' }],
    ['beside a list', 'As said in [1]: {"label": "a"}', { label: 'a' }],
    ['with more members than asked for', '{"label": "a", "mood": "good"}', { label: 'a', mood: 'good' }],
  ])('is found %s', async (_, answer, value) => {
    const { ask } = await world([answer]);

    expect((await ask()).outcome).toEqual({ value });
  });

  test('may be a list, where a list is asked for', async () => {
    const { ask } = await world(['Those: [1, 2]']);

    expect((await ask({ schema: { type: 'array' } })).outcome).toEqual({ value: [1, 2] });
  });

  test.each([
    ['in words alone', 'I would say spam.', 'There is no JSON in it.'],
    ['in words with a list among them', 'First the library [1], then the archive.', 'There is no JSON object in it.'],
    ['that is only a number', '42', 'There is no JSON object in it.'],
  ])('%s has no JSON, and is kept as it is', async (_, answer, problem) => {
    const { ask } = await world([answer]);

    expect((await ask()).outcome).toEqual({ answer, problem, plain: true });
  });

  test('of nothing is no words either', async () => {
    const { ask } = await world([' ']);

    expect((await ask()).outcome).toEqual({ answer: ' ', problem: 'There is no JSON in it.' });
  });

  test('of another form comes with every problem', async () => {
    const { ask } = await world(['{"labels": ["a"]}']);
    const two = { type: 'object', properties: { label: { type: 'string' }, sure: { type: 'boolean' } }, required: ['label', 'sure'] };

    const { outcome } = await ask({ schema: two });

    expect(outcome).toMatchObject({ answer: '{"labels": ["a"]}', problem: expect.stringMatching(/label .*; sure /) as string });
    expect(outcome).not.toHaveProperty('plain');
  });

  test('that is too large is none, and is told in part', async () => {
    const { ask } = await world([JSON.stringify({ label: 'x'.repeat(sizes.entry) })]);

    const { outcome } = await ask();

    expect(outcome).toMatchObject({ problem: 'It is larger than 64 KiB.' });
    expect((outcome as { answer: string }).answer.length).toBeLessThan(20_000);
  });
});

describe('an endpoint that knows no structured output', () => {
  test.each([400, 404, 422])('and refuses the request with %i is asked in words alone', async (status) => {
    const { ask, requests, heardIn } = await world([refused(status), '{"label": "spam"}']);

    expect((await ask()).outcome).toEqual({ value: { label: 'spam' } });

    expect(requests).toHaveLength(2);
    expect(requests[1]).not.toHaveProperty('outputSchema');
    expect(requests[1]?.tools).toEqual([]);
    expect(heardIn(1)).toEqual(heardIn(0));
  });

  test('and refuses those as well has refused', async () => {
    const { ask, requests } = await world([refused(400), refused(400)]);

    expect(await failureFrom(ask())).toMatchObject({ type: 'Model.Refused', nonRetryable: true });
    expect(requests).toHaveLength(2);
  });

  test.each([
    ['refuses our credentials', refused(401)],
    ['has no credit', refused(429)],
    ['is not there', refused(503, 'Model.Unavailable')],
    ['cannot read so much', refused(400, 'Model.ContextLength')],
  ])('is not meant when it %s', async (_, failure) => {
    const { ask, requests } = await world([failure]);

    expect((await failureFrom(ask())).type).toBe(failure.type);
    expect(requests).toHaveLength(1);
  });
});
