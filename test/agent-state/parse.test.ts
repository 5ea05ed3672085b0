import { describe, expect, test } from 'vitest';
import { parseAgentState, serializeAgentState, type AgentStateDocument, type StateResponse } from '../../src/index.js';
import { documentOf, fixture, responseOf } from './fixtures.js';
import { problemsOf, refusalOf } from './refusing.js';

const empty = { schemaVersion: '1.1.0', data: { conversationHistory: [] } };
const contentsOf = (document: AgentStateDocument, entry = 0, message = 0) =>
  (document.data.conversationHistory[entry] as StateResponse).messages[message]?.contents;
const read = (...contents: unknown[]) => contentsOf(parseAgentState(documentOf(responseOf(...contents))));

describe('what .NET and Python write is read', () => {
  test('a session of .NET keeps its times, its deadline and its two nulls', () => {
    const { data } = parseAgentState(fixture('dotnet-session.json'));

    expect(data.expirationTimeUtc).toBe('2026-01-29T09:32:14.9876543Z');
    expect(data.conversationHistory[0]).toMatchObject({ createdAt: '2026-01-15T09:32:10.1234567+00:00', orchestrationId: null });
    expect(parseAgentState(fixture('dotnet-without-expiry.json'))).toMatchObject({
      schemaVersion: '1.0.0',
      data: { expirationTimeUtc: null, conversationHistory: [{ responseType: null }, {}] },
    });
  });

  test('escapes are read', () => {
    const document = parseAgentState(fixture('dotnet-session.json'));

    expect(contentsOf(document)).toEqual([{ $type: 'text', text: "What's the weather in Malmö & Oslo? 🌧" }]);
  });

  test('nulls of Python are members that are not there', () => {
    const [, response, failed] = parseAgentState(fixture('python-session.json')).data.conversationHistory as StateResponse[];

    expect(response?.usage).toEqual({ inputTokenCount: 131, outputTokenCount: 44, extensionData: { cache_read_input_token_count: 0 } });
    expect(response?.messages[1]?.contents[1]).toEqual({ $type: 'functionResult', callId: 'call_2' });
    expect(response?.messages[2]?.contents[1]).toEqual({ $type: 'data', uri: 'data:image/png;base64,iVBORw0KGgo=' });
    expect(failed?.messages[0]?.contents[0]).toEqual({ $type: 'error', message: 'boom', errorCode: 'ValueError' });
  });

  test('what .NET cannot read is mended: arguments that are no object, details that are no text', () => {
    const document = parseAgentState(fixture('python-session.json'));

    expect(serializeAgentState(document)).toContain('"arguments":{"raw":["Oslo",1.0]}');
    expect(contentsOf(document, 2)?.[1]).toMatchObject({ details: '{"status":429,"after":1.50}' });
  });

  test('the kind of an old entry of Python is found, and called $type from then on', () => {
    const [request, response] = parseAgentState(fixture('python-old-entries.json')).data.conversationHistory;

    expect([request?.$type, response?.$type]).toEqual(['request', 'response']);
    expect(request).not.toHaveProperty('json_type');
    expect(read({ $type: 'text', text: 'a', json_type: 'b' })).toEqual([{ $type: 'text', text: 'a', json_type: 'b' }]);
  });
});

describe('what .NET needs is filled in', () => {
  test('by kind of content', () => {
    const kinds = ['text', 'functionCall', 'functionResult', 'data', 'uri', 'hostedFile', 'hostedVectorStore', 'usage', 'unknown'];

    expect(read(...kinds.map(($type) => ({ $type })))).toEqual([
      { $type: 'text', text: '' },
      { $type: 'functionCall', callId: '', name: '', arguments: {} },
      { $type: 'functionResult', callId: '' },
      { $type: 'data', uri: '' },
      { $type: 'uri', uri: '', mediaType: 'application/octet-stream' },
      { $type: 'hostedFile', fileId: '' },
      { $type: 'hostedVectorStore', vectorStoreId: '' },
      { $type: 'usage', usage: {} },
      { $type: 'unknown', content: {} },
    ]);
  });

  test('an entry gets an empty correlation id, no messages, and the time of its first message or of the entry before it', () => {
    const message = { role: 'user', createdAt: '2026-01-31T09:00:00' };
    const document = parseAgentState(documentOf({ $type: 'request' }, { $type: 'request', messages: [message] }, { $type: 'response' }));

    expect(document.data.conversationHistory).toEqual([
      { $type: 'request', correlationId: '', createdAt: '1970-01-01T00:00:00+00:00', messages: [] },
      { $type: 'request', correlationId: '', createdAt: message.createdAt, messages: [{ ...message, contents: [] }] },
      { $type: 'response', correlationId: '', createdAt: message.createdAt, messages: [] },
    ]);
  });

  test('a history that is null, or not there, is empty', () => {
    expect(parseAgentState('{"schemaVersion":"1.1.0","data":{"conversationHistory":null}}')).toEqual(empty);
    expect(parseAgentState('{"schemaVersion":"1.1.0","data":{}}')).toEqual(empty);
  });

  test('a whole count is written in digits', () => {
    const text =
      '{"schemaVersion":"1.1.0","data":{"conversationHistory":[{"$type":"response","usage":{"inputTokenCount":12.0,"outputTokenCount":-0.0,"x":1.0}}]}}';

    expect(serializeAgentState(parseAgentState(text))).toContain('"usage":{"inputTokenCount":12,"outputTokenCount":0,"x":1.0}');
  });
});

describe('versions', () => {
  test.each(['1.0.0', '1.1.0', '1.1.7', '1.99.0'])('%s is read and kept', (schemaVersion) => {
    expect(parseAgentState({ ...empty, schemaVersion }).schemaVersion).toBe(schemaVersion);
  });

  test.each(['2.0.0', '10.1.0'])('%s is newer', (schemaVersion) => {
    expect(refusalOf(() => parseAgentState({ schemaVersion, messages: 4 }))).toMatchObject({
      type: 'State.Newer',
      problems: [{ path: 'schemaVersion', message: `must be 1.x, not "${schemaVersion}"` }],
    });
  });

  test.each(['0.9.0', '1', '1.1', '1.1.0-preview', 'v1.1.0', 'hello', '', ' 1.1.0', 1.1, null, undefined])('%j is refused', (version) => {
    const { schemaVersion: _, ...rest } = empty;
    const document = version === undefined ? rest : { ...rest, schemaVersion: version };

    expect(refusalOf(() => parseAgentState(document))).toMatchObject({ type: 'State.Unreadable', problems: [{ path: 'schemaVersion' }] });
  });
});

describe('what is wrong is refused, all of it at once', () => {
  test('every problem has its path', () => {
    const contents = [
      { $type: 'text', text: 4 },
      { text: 'a' },
      'b',
      { $type: 7 },
      { $type: 'usage', usage: { inputTokenCount: 1.5, outputTokenCount: '2' } },
      { $type: 'functionCall', callId: 1, name: [] },
    ];
    const document = {
      schemaVersion: '1.1.0',
      data: {
        expirationTimeUtc: 'soon',
        conversationHistory: [
          { $type: 'request', correlationId: 5, createdAt: 'yesterday', messages: {}, orchestrationId: {} },
          { $type: 'response', usage: 3, messages: [{ contents }, { role: 'user', authorName: 1, contents: 'c' }, null] },
          {},
          [],
        ],
      },
    };

    expect(problemsOf(() => parseAgentState(document)).map((line) => line.replaceAll('conversationHistory', '…'))).toEqual([
      'data.expirationTimeUtc: must be a time as in RFC 3339, such as "2026-01-31T09:30:00.1+00:00", not "soon"',
      'data.…[0].correlationId: must be a text, not 5',
      'data.…[0].createdAt: must be a time as in RFC 3339, such as "2026-01-31T09:30:00.1+00:00", not "yesterday"',
      'data.…[0].messages: must be a list of messages, not an object',
      'data.…[0].orchestrationId: must be a text, not an object',
      'data.…[1].usage: must be counts of tokens, not 3',
      'data.…[1].messages[0].role: is missing; it must be a text',
      'data.…[1].messages[0].contents[0].text: must be a text, not 4',
      'data.…[1].messages[0].contents[1].$type: is missing; it must be a text that names the kind of content',
      'data.…[1].messages[0].contents[2]: must be a content such as { "$type": "text", "text": "…" }, not "b"',
      'data.…[1].messages[0].contents[3].$type: must be a text that names the kind of content, not 7',
      'data.…[1].messages[0].contents[4].usage.inputTokenCount: must be a whole number of at most 64 bits, not 1.5',
      'data.…[1].messages[0].contents[4].usage.outputTokenCount: must be a whole number of at most 64 bits, not "2"',
      'data.…[1].messages[0].contents[5].callId: must be a text, not 1',
      'data.…[1].messages[0].contents[5].name: must be a text, not an empty list',
      'data.…[1].messages[1].authorName: must be a text, not 1',
      'data.…[1].messages[1].contents: must be a list of contents, not "c"',
      'data.…[1].messages[2]: must be a message, not null',
      'data.…[2].$type: is missing; it must be a text that names the kind of entry, such as "request"',
      'data.…[3]: must be an entry: a request, a response, or one of a later release, not an empty list',
    ]);
  });

  test.each([
    ['no data', { schemaVersion: '1.1.0' }, 'data'],
    ['null data', { schemaVersion: '1.1.0', data: null }, 'data'],
    ['a list as data', { schemaVersion: '1.1.0', data: [] }, 'data'],
    ['a list', [empty], ''],
    ['nothing', null, ''],
    ['a number', 17, ''],
    ['a text in a text', '"{}"', ''],
  ])('%s', (_, document, path) => {
    expect(refusalOf(() => parseAgentState(document))).toMatchObject({ type: 'State.Unreadable', problems: [{ path }] });
  });

  test('a thousand problems are still one failure that can travel', () => {
    const refusal = refusalOf(() => parseAgentState(documentOf(...Array.from({ length: 1000 }, () => 7))));

    expect(refusal?.message).toContain('and 980 more');
    expect(refusal?.problems).toHaveLength(100);
  });

  test.each(['2026-02-30T00:00:00Z', '2026-01-31', '2026-01-31T09:00:00+25:00', '0000-01-01T00:00:00Z', ''])('the time %j', (createdAt) => {
    expect(problemsOf(() => parseAgentState(documentOf({ $type: 'request', createdAt })))).toHaveLength(1);
  });
});
