import { describe, expect, test } from 'vitest';
import { readableWords } from '../../src/llm/hidden.js';

describe("a provider's words", () => {
  test.each([
    ['Incorrect API key provided: sk-proj-Ab3dEfGh1234. Check it.', 'Incorrect API key provided: [key] Check it.'],
    ['Incorrect API key provided: sk-abcd****************wxyz.', 'Incorrect API key provided: [key]'],
    ['Bad header: "Bearer abc.def-123"', 'Bad header: "Bearer [key]"'],
    ['api_key=hunter2 is wrong', 'api_key=[key] is wrong'],
    ['Token ab****yz expired', 'Token [key] expired'],
    ['Key AIzaSyA1234567890abc is not allowed', 'Key [key] is not allowed'],
    [
      "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.",
      "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.",
    ],
    ['The key-value store and the api-gateway are down', 'The key-value store and the api-gateway are down'],
  ])('come without keys: %s', (words, expected) => {
    expect(readableWords(words)).toBe(expected);
  });

  test('come without the key that was used, whatever it looks like', () => {
    expect(readableWords('No user for swordfish here', { secrets: ['swordfish'] })).toBe('No user for [key] here');
    expect(readableWords('No user here', { secrets: ['', 'us'] })).toBe('No user here');
  });

  test('come on one line, without markup, and short', () => {
    expect(readableWords('<html><style>p{}</style><h1>502</h1>\n<p>Bad gateway</p></html>')).toBe('502 Bad gateway');
    expect(readableWords('word '.repeat(1000)).length).toBeLessThanOrEqual(301);
  });

  test('come without what they quote from the conversation, and with all the rest', () => {
    const prompt = () => JSON.stringify({ text: 'Dear diary,\ntoday I met a "very" tall man with a hat.' });

    const words = readableWords('Bad input near: today I met a "very" tall man with a hat. Please fix it.', { prompt });

    expect(words).not.toContain('tall man with');
    expect(words).toMatch(/^Bad input near:.*Please fix it\.$/);
  });
});
