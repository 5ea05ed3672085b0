/** Temporal's payloads, encrypted. What is not encrypted is read as it is: encryption can be turned on while runs are open. */
import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { awaited, encryptedEncoding, isEncrypted, keyIdEntry, keyIdOf, missingKeyEntry } from '../contract/encrypted.js';
import type { Cipher } from './cipher.js';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** For whoever is told at once: clients and the codec server. */
export class EncryptionCodec implements PayloadCodec {
  constructor(protected readonly cipher: Cipher) {}

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => this.#encrypt(payload));
  }

  /** @throws `Encryption.KeyMissing` */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      const opened = this.tryDecrypt(payload);
      if (opened === undefined) throw this.cipher.keyMissing(keyIdOf(payload) ?? '(none)', 'payload');
      return opened;
    });
  }

  /** `undefined` when it is encrypted and cannot be opened. */
  tryDecrypt(payload: Payload): Payload | undefined {
    if (!isEncrypted(payload)) return payload;
    const plain = this.cipher.tryOpen({ keyId: keyIdOf(payload) ?? '', content: payload.data ?? new Uint8Array() }, 'payload');
    if (plain === undefined) return undefined;
    const { metadata, data } = PayloadMessage.decode(plain);
    return { metadata, data };
  }

  #encrypt(payload: Payload): Payload {
    const sealed = this.cipher.seal(PayloadMessage.encode(PayloadMessage.create(payload)).finish(), 'payload');
    if (sealed === undefined) return payload;
    const metadata = { [METADATA_ENCODING_KEY]: bytes(encryptedEncoding), [keyIdEntry]: bytes(sealed.keyId) };
    return { metadata, data: sealed.content };
  }
}

/**
 * For workers. Whatever throws here fails a workflow task, which is retried forever; and anybody may send anything. So what cannot be
 * opened goes on to the sandbox as it is, which knows who may have sent it: see `workflows/run/unread.ts`.
 */
export class WorkerCodec extends EncryptionCodec {
  /** When a run first had something for which this worker lacks the key. */
  readonly #since = new Map<string, number>();

  /** @param patienceMs for how long messages to a run are left to workers that may have the key */
  constructor(
    cipher: Cipher,
    private readonly patienceMs = 30_000,
  ) {
    super(cipher);
  }

  /** @throws `Encryption.KeyMissing` for an activity, which is given back to the run */
  override async decode(payloads: Payload[], context?: { type: string; workflowId?: string }): Promise<Payload[]> {
    return payloads.map((payload) => {
      const opened = this.tryDecrypt(payload);
      if (opened !== undefined) return opened;
      const keyId = keyIdOf(payload);
      if (context?.type !== 'workflow') throw this.cipher.keyMissing(keyId ?? '(none)', 'payload');
      const { [missingKeyEntry]: _, ...metadata } = payload.metadata ?? {};
      if (keyId === undefined || this.cipher.has(keyId)) return { ...payload, metadata };
      const note = this.#isPatient(context.workflowId ?? '') ? awaited : 'given up';
      return { ...payload, metadata: { ...metadata, [missingKeyEntry]: bytes(note) } };
    });
  }

  #isPatient(workflowId: string): boolean {
    const now = Date.now();
    // Once in an hour: many keys that nobody has hold a run up no longer than one.
    for (const [id, then] of this.#since) if (now - then > forgetAfterMs) this.#since.delete(id);
    const since = this.#since.get(workflowId) ?? now;
    this.#since.set(workflowId, since);
    return now - since < this.patienceMs;
  }
}

const forgetAfterMs = 3600 * 1000;

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}
