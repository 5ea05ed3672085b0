/** Keys as settings give them: `id:base64`, separated by commas or lines. The first encrypts, all decrypt. */
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';

export interface EncryptionKey {
  /** Readable beside everything that the key has encrypted. */
  readonly id: string;
  /** 256 bits. Printed as an object without them. */
  readonly secret: KeyObject;
}

/** Of AES-256. */
export const keyBytes = 32;

const form = 'id:key, with a key of 32 bytes in base64, as `ostinato key` makes them';

/** What is wrong goes to `problem`, without a word of any key. Lines that begin with `#` are comments. */
export function readKeys(text: string, problem: (message: string) => void): EncryptionKey[] {
  const keys: EncryptionKey[] = [];
  const entries = text
    .split('\n')
    .filter((line) => !line.trim().startsWith('#'))
    .flatMap((line) => line.split(','))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  if (entries.length === 0) problem(`no key is there; expected ${form}`);
  for (const [i, entry] of entries.entries()) {
    const [, id, base64] = /^([A-Za-z0-9][\w.-]{0,63}):([A-Za-z0-9+/]+={0,2})$/.exec(entry) ?? [];
    const bytes = Buffer.from(base64 ?? '', 'base64');
    if (id === undefined) problem(`key ${i + 1} has not the form ${form}`);
    else if (bytes.length !== keyBytes) problem(`key "${id}" has ${bytes.length} bytes, not ${keyBytes}; expected ${form}`);
    else if (keys.some((key) => key.id === id)) problem(`two keys are called "${id}"; give each an id of its own, and never use one again`);
    else keys.push({ id, secret: createSecretKey(bytes) });
  }
  return keys;
}

/** A new key, as settings take it. */
export function newKey(id = `key-${randomBytes(4).toString('hex')}`): string {
  return `${id}:${randomBytes(keyBytes).toString('base64')}`;
}
