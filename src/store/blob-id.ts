import { createHash } from 'node:crypto';

/** No blob is larger, in bytes of UTF-8. */
export const maxBlobBytes = 64 * 1024 * 1024;

/**
 * The name of a blob in every engine: the first 32 hex characters of the SHA-256 of its UTF-8 bytes. Short, because ids are
 * recorded with every model call of a run's history; long enough, because 128 bits do not meet by accident.
 * UTF-8 has no halves of surrogate pairs: they are kept as U+FFFD. JSON texts escape them and come back as they were.
 */
export function blobId(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}
