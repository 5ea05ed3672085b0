import { describe, expect, test } from 'vitest';
import { toStepMessage } from '../../src/store/step-message.js';
import { callsOf, type Content, type Message } from '../../src/contract/message.js';
import { jsonBytes, sizes } from '../../src/contract/size.js';
import { memoryStore } from '../support/memory-store.js';

const reply = (...contents: Content[]): Message => ({
  role: 'assistant',
  authorName: 'guide',
  createdAt: '2026-01-31T09:30:00.000Z',
  contents,
});
const text = (length: number): Content => ({ $type: 'text', text: 'x'.repeat(length) });

describe('a message of a step', () => {
  test('travels as it is when it is small', async () => {
    const store = memoryStore();

    expect(await toStepMessage(store.blobs, reply(text(100)))).toEqual({ message: reply(text(100)) });
    expect(store.texts.size).toBe(0);
  });

  test('travels once when it is larger: afterwards its id stands for it', async () => {
    const store = memoryStore();

    const { message, blob, cut } = await toStepMessage(store.blobs, reply(text(5000)));

    expect(message).toEqual(reply(text(5000)));
    expect(cut).toBeUndefined();
    expect(JSON.parse(store.texts.get(blob ?? '') ?? '')).toEqual(message);
  });

  test('travels as a preview when it is very large: beginnings of texts, calls by name, and what else there is', async () => {
    const store = memoryStore();
    const whole = reply(
      { $type: 'reasoning', text: 'r'.repeat(5000) },
      text(70_000),
      { $type: 'functionCall', callId: 'c1', name: 'save', arguments: { text: 'y'.repeat(5000) } },
      { $type: 'functionResult', callId: 'c0', result: { rows: 'z'.repeat(5000) } },
      { $type: 'data', uri: `data:image/png;base64,${'A'.repeat(5000)}`, mediaType: 'image/png' },
      { $type: 'hostedFile', fileId: 'f1' },
    );

    const { message, blob, cut } = await toStepMessage(store.blobs, whole);

    expect(cut).toBe(true);
    expect(JSON.parse(store.texts.get(blob ?? '') ?? '')).toEqual(whole);
    expect(message).toEqual({
      ...whole,
      contents: [
        { $type: 'reasoning', text: `${'r'.repeat(2048)}… [cut: 2048 of 5000 characters]` },
        { $type: 'text', text: `${'x'.repeat(2048)}… [cut: 2048 of 70000 characters]` },
        { $type: 'functionCall', callId: 'c1', name: 'save', arguments: {} },
        { $type: 'functionResult', callId: 'c0', result: `{"rows":"${'z'.repeat(2039)}… [cut: 2048 of 5011 characters]` },
        { $type: 'text', text: '[data: 5071 bytes]' },
        { $type: 'hostedFile', fileId: 'f1' },
      ],
    });
  });

  test('has a small preview, however many texts it holds, and every call in its place', async () => {
    const calls: Content[] = Array.from({ length: 20 }, (_, i) => ({
      $type: 'functionCall',
      callId: `c${i}`,
      name: 'save',
      arguments: {},
    }));
    const whole = reply(...Array.from({ length: 200 }, () => text(5000)), ...calls);

    const { message } = await toStepMessage(memoryStore().blobs, whole);

    expect(jsonBytes(message)).toBeLessThan(sizes.entry);
    expect(callsOf(message)).toEqual(calls);
  });

  test('has the same id for the same content', async () => {
    const store = memoryStore();

    const ids = await Promise.all([1, 2].map(async () => (await toStepMessage(store.blobs, reply(text(5000)))).blob));

    expect(new Set(ids).size).toBe(1);
  });
});
