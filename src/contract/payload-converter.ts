/**
 * JSON as usual, but a payload that cannot be read becomes an `Undecodable` value. With the SDK's own converter it throws inside
 * the workflow task, which Temporal retries forever: one bad signal would stop a run for good.
 * Bundled into the sandbox by path.
 */
import { DefaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';
import { isEncrypted, missingKeyOf } from './encrypted.js';
import { undecodable } from './undecodable.js';

const json = new DefaultPayloadConverter();

export const payloadConverter: PayloadConverter = {
  toPayload: (value) => json.toPayload(value),
  fromPayload<T>(payload: Payload): T {
    if (isEncrypted(payload)) return undecodable(whyUnread(payload)) as T;
    try {
      return json.fromPayload<T>(payload);
    } catch (error) {
      return undecodable(error instanceof Error ? error.message : String(error)) as T;
    }
  },
};

function whyUnread(payload: Payload): string {
  const keyId = missingKeyOf(payload);
  return keyId === undefined
    ? 'it is encrypted, and no key here opens it'
    : `it is encrypted with the key "${keyId.slice(0, 64)}", which the worker does not have`;
}
