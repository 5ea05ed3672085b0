/** How an encrypted payload looks on the wire: as in Temporal's samples, so that codecs of other languages can be written against it. */
import type { Payload } from '@temporalio/common';

export const encryptedEncoding = 'binary/encrypted';
export const keyIdEntry = 'encryption-key-id';

/** Where a worker notes that it lacks the key; whatever a sender writes there is taken away. */
export const missingKeyEntry = 'encryption-key-missing';

/** Global name in the sandbox: messages of failures are encoded like payloads. */
export const encodesFailures = '__ostinatoEncodesFailures';

export function isEncrypted({ metadata }: Pick<Payload, 'metadata'>): boolean {
  return textOf(metadata?.encoding) === encryptedEncoding;
}

export function keyIdOf({ metadata }: Pick<Payload, 'metadata'>): string | undefined {
  return textOf(metadata?.[keyIdEntry]);
}

/** In that entry: others may have the key, and are waited for. */
export const awaited = 'awaited';

export function isAwaited({ metadata }: Pick<Payload, 'metadata'>): boolean {
  return textOf(metadata?.[missingKeyEntry]) === awaited;
}

/** The id of the key that this worker lacks; `undefined` for what no key would open. */
export function missingKeyOf(payload: Pick<Payload, 'metadata'>): string | undefined {
  return isEncrypted(payload) && payload.metadata?.[missingKeyEntry] ? keyIdOf(payload) : undefined;
}

function textOf(bytes: Uint8Array | null | undefined): string | undefined {
  return bytes ? decoder.decode(bytes) : undefined;
}

const decoder = new TextDecoder();
