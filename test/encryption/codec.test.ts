import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { expect, test } from 'vitest';
import { isAwaited, missingKeyOf } from '../../src/contract/encrypted.js';
import { Cipher } from '../../src/encryption/cipher.js';
import { EncryptionCodec, WorkerCodec } from '../../src/encryption/codec.js';
import { newKey, readKeys } from '../../src/encryption/keys.js';

const [a, b] = [newKey('a'), newKey('b')];
const cipherOf = (...keys: string[]) => new Cipher(readKeys(keys.join(','), (problem) => expect.fail(problem)));
const payloadOf = (value: unknown) => defaultPayloadConverter.toPayload(value) as Payload;
const valueOf = (payload: Payload | undefined) => defaultPayloadConverter.fromPayload(payload as Payload);
const text = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('latin1');
const inWorkflow = { type: 'workflow', workflowId: 'a run' };

async function encrypted(key = a, payload = payloadOf({ message: 'hello' })): Promise<Payload> {
  return (await new EncryptionCodec(cipherOf(key)).encode([payload]))[0] as Payload;
}

test('a payload looks as in the samples of Temporal, and its content does not', async () => {
  const payload = await encrypted();

  expect(Object.keys(payload.metadata ?? {})).toEqual(['encoding', 'encryption-key-id']);
  expect(text(payload.metadata?.encoding)).toBe('binary/encrypted');
  expect(text(payload.metadata?.['encryption-key-id'])).toBe('a');
  expect(text(payload.data)).not.toMatch(/hello|json/);
  expect(text((await encrypted()).data)).not.toBe(text(payload.data));
});

test.each([[{ message: 'hello' }], [undefined], [null], ['grüße 線'], [new Uint8Array([0, 255])]])('%o comes back', async (value) => {
  const codec = new EncryptionCodec(cipherOf(b, a));

  expect(valueOf((await codec.decode([await encrypted(a, payloadOf(value))]))[0])).toEqual(value);
});

test('the first key encrypts, and what is not encrypted is read as it is', async () => {
  const codec = new EncryptionCodec(cipherOf(b, a));
  const plain = payloadOf('plain');

  expect(text((await codec.encode([plain]))[0]?.metadata?.['encryption-key-id'])).toBe('b');
  expect(await codec.decode([plain])).toEqual([plain]);
  expect(await new EncryptionCodec(new Cipher()).encode([plain])).toEqual([plain]);
});

const other = newKey('a');
test.each([
  ['a key that is not there', cipherOf(b), (payload: Payload) => payload, /key "a", which this process does not have \(it has: b\)/],
  ['no key at all', new Cipher(), (payload: Payload) => payload, /which this process does not have \(it has: none\)/],
  ['another key of the same id', cipherOf(other), (payload: Payload) => payload, /does not open with the key "a"/],
  ['changed bytes', cipherOf(a), flipped, /does not open with the key "a"/],
  ['another id of key', cipherOf(a, b), named('b'), /does not open with the key "b"/],
  ['cut bytes', cipherOf(a), ({ metadata }: Payload) => ({ metadata, data: Buffer.alloc(5) }), /does not open/],
  ['no id of a key', cipherOf(a), ({ metadata, data }: Payload) => ({ metadata: { encoding: metadata!.encoding! }, data }), /"\(none\)"/],
])('a client is told of %s', async (_, cipher, change, message) => {
  const payload = change(await encrypted());

  await expect(new EncryptionCodec(cipher).decode([payload])).rejects.toMatchObject({
    type: 'Encryption.KeyMissing',
    message: expect.stringMatching(message),
  });
});

test('a worker passes on what it cannot open, with a note where it lacks the key, and of whether others are waited for', async () => {
  const codec = new WorkerCodec(cipherOf(b), 50);
  const [lacking, hostile] = [await encrypted(), flipped(await encrypted(b))];
  const forged = { ...hostile, metadata: { ...hostile.metadata, 'encryption-key-missing': Buffer.from('true') } };

  expect(await codec.decode([hostile, forged], inWorkflow)).toEqual([hostile, hostile]);
  expect(isAwaited((await codec.decode([lacking], inWorkflow))[0] as Payload)).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 60));
  const [passed] = await codec.decode([lacking], inWorkflow);
  expect([missingKeyOf(passed as Payload), isAwaited(passed as Payload)]).toEqual(['a', false]);
  expect(passed?.data).toEqual(lacking.data);
  // Another key that nobody has does not begin another wait.
  expect(isAwaited((await codec.decode([named('made-up')(lacking)], inWorkflow))[0] as Payload)).toBe(false);
  await expect(codec.decode([lacking], { type: 'activity' })).rejects.toMatchObject({ type: 'Encryption.KeyMissing' });
});

function flipped({ metadata, data }: Payload): Payload {
  const changed = Buffer.from(data ?? []);
  changed[20]! ^= 1;
  return { metadata, data: changed };
}

function named(id: string) {
  return ({ metadata, data }: Payload): Payload => ({ metadata: { ...metadata, 'encryption-key-id': Buffer.from(id) }, data });
}
