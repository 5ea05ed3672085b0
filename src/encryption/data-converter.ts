/** The one place that makes data converters: for every client and every worker that is opened. */
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { Cipher } from './cipher.js';
import { EncryptionCodec, WorkerCodec } from './codec.js';
import type { EncryptionKey } from './keys.js';

export function clientDataConverter(keys: readonly EncryptionKey[]): DataConverter {
  return { payloadCodecs: [new EncryptionCodec(new Cipher(keys))], ...failureConverterFor(keys) };
}

/** Without keys too: such a worker knows what it cannot read, instead of taking it for damaged. */
export function workerDataConverter(keys: readonly EncryptionKey[], patienceMs?: number): DataConverter {
  return { payloadCodecs: [new WorkerCodec(new Cipher(keys), patienceMs)], ...failureConverterFor(keys) };
}

const failureConverterPath = fileURLToPath(new URL('./failure-converter.cjs', import.meta.url));

function failureConverterFor(keys: readonly EncryptionKey[]): DataConverter {
  return keys.length > 0 ? { failureConverterPath } : {};
}
