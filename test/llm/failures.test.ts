import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError, OpenAIError } from 'openai';
import { describe, expect, test } from 'vitest';
import { fail } from '../../src/contract/failure.js';
import { toModelFailure } from '../../src/llm/failures.js';

const now = Date.parse('2026-03-01T12:00:00Z');

function apiError(status: number | undefined, body: object = {}, headers: Record<string, string> = {}): APIError {
  return status === undefined
    ? new APIError(undefined, body, undefined, new Headers(headers))
    : APIError.generate(status, { error: body }, undefined, new Headers(headers));
}

describe('what another attempt can change is retried, and nothing else', () => {
  test.each([
    ['408', apiError(408), 'Model.Unavailable', true],
    ['409', apiError(409), 'Model.Unavailable', true],
    ['429', apiError(429), 'Model.RateLimited', true],
    ['500', apiError(500), 'Model.Unavailable', true],
    ['503', apiError(503), 'Model.Unavailable', true],
    ['529', apiError(529), 'Model.Unavailable', true],
    ['400', apiError(400), 'Model.Refused', false],
    ['401', apiError(401), 'Model.Refused', false],
    ['402', apiError(402), 'Model.Refused', false],
    ['403', apiError(403), 'Model.Refused', false],
    ['404', apiError(404), 'Model.Refused', false],
    ['422', apiError(422), 'Model.Refused', false],
    ['413', apiError(413), 'Model.ContextLength', false],
    ['no connection', new APIConnectionError({ message: 'Connection error.' }), 'Model.Unavailable', true],
    ['no answer in time', new APIConnectionTimeoutError(), 'Model.Unavailable', true],
    ['an abort that nobody here asked for', new APIUserAbortError(), 'Model.Unavailable', true],
    ['a connection lost in the middle', new TypeError('terminated', { cause: new Error('other side closed') }), 'Model.Unavailable', true],
    ['an unknown error', new Error('what?'), 'Model.Unavailable', true],
    ['not even an error', 'what?', 'Model.Unavailable', true],
    ['broken JSON', new SyntaxError('Unexpected token'), 'Model.Malformed', true],
    ['a stream that is none', new OpenAIError('no body'), 'Model.Malformed', true],
    ['a quota used up', apiError(429, { code: 'insufficient_quota' }), 'Model.Refused', false],
    ['a quota used up, by type', apiError(429, { type: 'insufficient_quota' }), 'Model.Refused', false],
    ['a conversation too long, by code', apiError(400, { code: 'context_length_exceeded' }), 'Model.ContextLength', false],
    [
      'a conversation too long, by words',
      apiError(400, { message: "This model's maximum context length is 8192 tokens." }),
      'Model.ContextLength',
      false,
    ],
    [
      'a conversation too long, by other words',
      apiError(400, { message: 'prompt is too long: 210000 tokens > 200000 maximum' }),
      'Model.ContextLength',
      false,
    ],
    ['a conversation too long for a local server', apiError(500, { type: 'exceed_context_size_error' }), 'Model.ContextLength', false],
    ['too many tokens a minute', apiError(429, { message: 'Request too large: too many tokens per minute' }), 'Model.RateLimited', true],
    ['an error within a stream', apiError(undefined, { message: 'The server had an error.' }), 'Model.Unavailable', true],
    ['a rate limit within a stream', apiError(undefined, { code: 'rate_limit_exceeded' }), 'Model.RateLimited', true],
    ['a refusal within a stream', apiError(undefined, { code: 'invalid_prompt' }), 'Model.Refused', false],
    ['a status as code within a stream', apiError(undefined, { code: 429, message: 'slow down' }), 'Model.RateLimited', true],
    ['a status as code, final', apiError(undefined, { code: 401 }), 'Model.Refused', false],
  ])('%s', (_, error, type, retryable) => {
    const failure = toModelFailure(error);

    expect(failure.type).toBe(type);
    expect(failure.nonRetryable).toBe(!retryable);
  });

  test.each([
    ['false makes any status final', 503, 'false', 'Model.Unavailable', true],
    ['false makes a rate limit final', 429, 'false', 'Model.RateLimited', true],
    ['true makes a refusal retryable', 400, 'true', 'Model.Unavailable', false],
    ['anything else is ignored', 400, 'perhaps', 'Model.Refused', true],
  ])('x-should-retry: %s', (_, status, header, type, nonRetryable) => {
    expect(toModelFailure(apiError(status, {}, { 'x-should-retry': header }))).toMatchObject({ type, nonRetryable });
  });

  test('waiting does not fill an account or shorten a conversation, whatever x-should-retry says', () => {
    const headers = { 'x-should-retry': 'true', 'retry-after': '1' };

    for (const code of ['insufficient_quota', 'context_length_exceeded']) {
      const failure = toModelFailure(apiError(400, { code }, headers));
      expect(failure.nonRetryable).toBe(true);
      expect(failure.nextRetryDelay).toBeUndefined();
    }
  });

  test('a failure that is typed already stays as it is, however deep it is wrapped', () => {
    const typed = fail('Model.Empty', 'Nothing.');

    expect(toModelFailure(typed)).toBe(typed);
    expect(toModelFailure(new OpenAIError('wrapped', { cause: typed }))).toBe(typed);
  });
});

describe('the provider says how long to wait', () => {
  test.each([
    ['in milliseconds', { 'retry-after-ms': '1500' }, 1500],
    ['in milliseconds, before anything else', { 'retry-after-ms': '250', 'retry-after': '60' }, 250],
    ['in fractions of a millisecond', { 'retry-after-ms': '0.5' }, 1],
    ['in seconds', { 'retry-after': '20' }, 20_000],
    ['in fractions of a second', { 'retry-after': '0.25' }, 250],
    ['as a date', { 'retry-after': 'Sun, 01 Mar 2026 12:00:42 GMT' }, 42_000],
    ['as a date that has passed', { 'retry-after': 'Sun, 01 Mar 2026 11:00:00 GMT' }, 0],
    ['less than nothing', { 'retry-after': '-5' }, 0],
    ['for hours', { 'retry-after': '7200' }, 300_000],
    ['until next year', { 'retry-after': 'Fri, 01 Jan 2027 00:00:00 GMT' }, 300_000],
    ['in broken milliseconds, and in seconds', { 'retry-after-ms': 'soon', 'retry-after': '2' }, 2000],
    ['in no form that we know', { 'retry-after': 'soon' }, undefined],
    ['with an empty header', { 'retry-after-ms': '', 'retry-after': '' }, undefined],
    ['not at all', {}, undefined],
  ])('%s', (_, headers, expected) => {
    expect(toModelFailure(apiError(429, {}, headers as Record<string, string>), { now }).nextRetryDelay).toBe(expected);
  });

  test('with a server error too, and never with what is final', () => {
    expect(toModelFailure(apiError(503, {}, { 'retry-after': '3' })).nextRetryDelay).toBe(3000);
    expect(toModelFailure(apiError(400, {}, { 'retry-after': '3' })).nextRetryDelay).toBeUndefined();
    expect(toModelFailure(apiError(503, {}, { 'retry-after': '3', 'x-should-retry': 'false' })).nextRetryDelay).toBeUndefined();
  });
});

describe('a failure tells what is needed to act, and no more', () => {
  test('status, code and request id are there for machines', () => {
    const failure = toModelFailure(apiError(400, { code: 'bad_tool', message: 'Tools are broken.' }, { 'x-request-id': 'req_7' }));

    expect(failure.details).toEqual([{ status: 400, code: 'bad_tool', requestId: 'req_7' }]);
    expect(failure.message).toBe(
      'The provider refuses the request (400). Change what is asked: another attempt does not help. The provider says: Tools are broken.',
    );
  });

  test('a connection error names its cause', () => {
    const cause = new TypeError('fetch failed', {
      cause: Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' }),
    });

    const { message } = toModelFailure(new APIConnectionError({ message: 'Connection error.', cause }));

    expect(message).toContain('Check the base URL and the network.');
    expect(message).toContain('ECONNREFUSED 127.0.0.1:9');
  });

  test('neither the key, nor the conversation, nor the raw error goes along', () => {
    const said = 'my secret plan is to move to Oslo in the spring and to open a bakery';
    const error = apiError(401, { message: `Incorrect API key provided: my-odd-key. You said: "${said}".`, request: { messages: [said] } });

    const failure = toModelFailure(error, { secrets: ['my-odd-key'], prompt: () => JSON.stringify([{ text: `Listen: ${said}.` }]) });

    const everything = JSON.stringify({ ...failure, message: failure.message, stack: failure.stack });
    expect(failure.message).toContain('Check the API key');
    expect(everything).not.toContain('my-odd-key');
    expect(everything).not.toContain('Oslo');
    expect(failure.cause).toBeUndefined();
  });

  test('an error body without a message is not repeated', () => {
    expect(toModelFailure(apiError(422, { input: 'what somebody said' })).message).not.toContain('somebody');
  });
});
