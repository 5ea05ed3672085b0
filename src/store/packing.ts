/** How a text is kept in every engine: as its UTF-8 bytes, packed where that pays. */
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import { fail } from '../contract/failure.js';
import { blobId, maxBlobBytes } from './blob-id.js';

export interface Packed {
  encoding: 'plain' | 'br';
  content: Buffer;
}

/** Packing runs beside the event loop, writing blocks it: from about this size on, packing gives back more than it takes. */
const packFromBytes = 64 * 1024;

/**
 * The bytes of a text and its id.
 *
 * @throws `Input.TooLarge`
 */
export function toBytes(text: string): { id: string; bytes: Buffer } {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > maxBlobBytes) {
    throw fail('Input.TooLarge', `A text of ${bytes.length} bytes is more than the store keeps in one piece (${maxBlobBytes}). Split it.`);
  }
  return { id: blobId(bytes), bytes };
}

// Brotli's fastest level is faster than gzip's, and packs prose and JSON better: to a quarter.
const compress = promisify<Buffer, object, Buffer>(brotliCompress);
const decompress = promisify<Buffer, object, Buffer>(brotliDecompress);

export async function pack(bytes: Buffer): Promise<Packed> {
  if (bytes.length >= packFromBytes) {
    const content = await compress(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    });
    if (content.length < 0.9 * bytes.length) return { encoding: 'br', content };
  }
  return { encoding: 'plain', content: bytes };
}

/**
 * The text that was packed under this id.
 *
 * @throws `State.Unreadable` when it cannot be what was packed.
 */
export async function unpack(id: string, { encoding, content }: Packed): Promise<string> {
  const bytes = encoding === 'plain' ? content : await decompress(content, { maxOutputLength: maxBlobBytes }).catch(() => undefined);
  if (bytes === undefined || blobId(bytes) !== id) {
    throw fail('State.Unreadable', `The text "${id}" in the store is damaged. It is left as it is: restore the store from a backup.`);
  }
  return bytes.toString('utf8');
}
