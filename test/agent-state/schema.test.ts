import { Ajv2020 } from 'ajv/dist/2020.js';
import { readFileSync } from 'node:fs';
import { expect, describe, test } from 'vitest';
import { documentJsonSchema } from '../../src/agent-state/schema.js';
import { parseAgentState, serializeAgentState } from '../../src/index.js';
import { documentOf, fixture, fixtureNames, responseOf } from './fixtures.js';
import { refusalOf } from './refusing.js';

const file = readFileSync(new URL('../../schemas/durable-agent-entity-state.schema.json', import.meta.url), 'utf8');
const accepts = new Ajv2020({ strict: true, strictTypes: false }).compile(JSON.parse(file) as object);

test('the file is what `npm run schema:write` writes', () => {
  expect(JSON.parse(file)).toEqual(documentJsonSchema());
});

describe('other validators accept what we read, and what we write', () => {
  // A name that only old releases of Python have read is no part of the schema.
  test.each(fixtureNames.filter((name) => name !== 'python-old-entries.json'))('%s', (name) => {
    const text = fixture(name);

    expect(accepts(JSON.parse(text)), JSON.stringify(accepts.errors)).toBe(true);
    expect(accepts(JSON.parse(serializeAgentState(parseAgentState(text))))).toBe(true);
  });
});

describe('other validators refuse what we refuse', () => {
  const entry = (members: object) => documentOf({ ...responseOf(), ...members });
  const message = (members: object) => entry({ messages: [{ role: 'user', contents: [], ...members }] });
  const request = (members: object) => documentOf({ $type: 'request', ...members });

  test.each<[string, unknown]>([
    ['a list', []],
    ['nothing', null],
    ['no version', { data: {} }],
    ['a version that is a number', { schemaVersion: 1.1, data: {} }],
    ['a version without a third part', { schemaVersion: '1.1', data: {} }],
    ['another version', { schemaVersion: '2.0.0', data: {} }],
    ['no data', { schemaVersion: '1.1.0' }],
    ['null data', { schemaVersion: '1.1.0', data: null }],
    ['a history that is an object', { schemaVersion: '1.1.0', data: { conversationHistory: {} } }],
    ['a deadline that is a number', { schemaVersion: '1.1.0', data: { expirationTimeUtc: 5 } }],
    ['an entry that is a text', documentOf('a')],
    ['an entry without a kind', documentOf({})],
    ['an entry whose kind is a number', documentOf({ $type: 1 })],
    ['a correlation id that is a number', entry({ correlationId: 1 })],
    ['a time that is none', entry({ createdAt: 'soon' })],
    ['messages that are an object', entry({ messages: {} })],
    ['usage that is a list', entry({ usage: [] })],
    ['a count that is a text', entry({ usage: { inputTokenCount: '1' } })],
    ['half a token', entry({ usage: { outputTokenCount: 0.5 } })],
    ['more tokens than 64 bits', entry({ usage: { totalTokenCount: 1e30 } })],
    ['an orchestration id that is an object', request({ orchestrationId: {} })],
    ['a response type that is a list', request({ responseType: [] })],
    ['a message that is a number', entry({ messages: [1] })],
    ['a message without a role', entry({ messages: [{}] })],
    ['a role that is null', message({ role: null })],
    ['an author that is an object', message({ authorName: {} })],
    ['a message whose time is none', message({ createdAt: 'now' })],
    ['contents that are a text', message({ contents: 'a' })],
    ['a content that is a text', message({ contents: ['a'] })],
    ['a content without a kind', message({ contents: [{}] })],
    ...['text', 'reasoning:text', 'error:message', 'error:errorCode', 'data:uri', 'data:mediaType', 'uri:uri', 'uri:mediaType'].map(wrong),
    ...['functionCall:callId', 'functionCall:name', 'functionResult:callId', 'hostedFile:fileId', 'usage'].map(wrong),
    ...['hostedVectorStore:vectorStoreId'].map(wrong),
  ])('%s', (_, document) => {
    expect(accepts(document)).toBe(false);
    expect(refusalOf(() => parseAgentState(document))).toBeDefined();
    expect(refusalOf(() => parseAgentState(JSON.stringify(document)))).toBeDefined();
  });

  function wrong(place: string): [string, unknown] {
    const [$type = '', member = $type] = place.split(':');
    return [`${member} of ${$type} that is a number`, documentOf(responseOf({ $type, [member]: 1 }))];
  }
});
