/** AES-256-GCM, for everything that is encrypted: payloads of Temporal, and what lies in the store. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { fail } from '../contract/failure.js';
import type { EncryptionKey } from './keys.js';

/** What something encrypted is. Bound to it: a blob cannot be passed off as an event. */
export type Kind = 'payload' | 'blob' | 'snapshot' | 'event' | 'deletion';

export interface Sealed {
  keyId: string;
  /** Nonce, ciphertext, tag. */
  content: Buffer;
}

const algorithm = 'aes-256-gcm';
/** Of the form described here: goes into what is authenticated. */
const version = 1;
/** Bytes. Random, as recommended for up to 2^32 uses of a key. */
const nonceBytes = 12;
const tagBytes = 16;

export class Cipher {
  readonly #keys: ReadonlyMap<string, EncryptionKey>;
  readonly #current: EncryptionKey | undefined;

  /** @param keys the first encrypts; without any nothing is encrypted, and nothing encrypted can be read. */
  constructor(keys: readonly EncryptionKey[] = []) {
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    this.#current = keys[0];
  }

  /** Of the key that encrypts; `undefined` when nothing is encrypted. */
  get currentId(): string | undefined {
    return this.#current?.id;
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId);
  }

  /** `undefined` when nothing is encrypted. */
  seal(plain: Uint8Array, kind: Kind): Sealed | undefined {
    if (this.#current === undefined) return undefined;
    const { id: keyId, secret } = this.#current;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, secret, nonce, { authTagLength: tagBytes }).setAAD(contextOf(keyId, kind));
    const content = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    return { keyId, content };
  }

  /** `undefined` when this key has not made it, or somebody has changed it since. */
  tryOpen({ keyId, content }: { keyId: string; content: Uint8Array }, kind: Kind): Buffer | undefined {
    const key = this.#keys.get(keyId);
    if (key === undefined || content.length < nonceBytes + tagBytes) return undefined;
    const end = content.length - tagBytes;
    try {
      const decipher = createDecipheriv(algorithm, key.secret, content.subarray(0, nonceBytes), { authTagLength: tagBytes })
        .setAAD(contextOf(keyId, kind))
        .setAuthTag(content.subarray(end));
      return Buffer.concat([decipher.update(content.subarray(nonceBytes, end)), decipher.final()]);
    } catch {
      return undefined;
    }
  }

  /** @throws `Encryption.KeyMissing`, also when the key of this id is another one */
  open(sealed: { keyId: string; content: Uint8Array }, kind: Kind): Buffer {
    const plain = this.tryOpen(sealed, kind);
    if (plain === undefined) throw this.keyMissing(sealed.keyId, kind);
    return plain;
  }

  keyMissing(keyId: string, kind: Kind): Error {
    const name = keyId.slice(0, 64);
    const others = [...this.#keys.keys()].join(', ') || 'none';
    const why = this.has(keyId)
      ? `does not open with the key "${name}" that this process has: it is another key than the one that encrypted it, or somebody has changed the ${kind}. It is left as it is: correct`
      : `is encrypted with the key "${name}", which this process does not have (it has: ${others}). Add it to`;
    return fail('Encryption.KeyMissing', `A ${kind} ${why} OSTINATO_ENCRYPTION_KEYS, and start again.`, { details: [{ keyId: name }] });
  }
}

/** Authenticated with what is encrypted. */
function contextOf(keyId: string, kind: Kind): Buffer {
  return Buffer.from(`ostinato/${version}/${kind}/${keyId}`);
}
