/** How a text is kept in every engine: as its UTF-8 bytes, packed where that pays, encrypted where there are keys. */
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import { fail } from '../contract/failure.js';
import { Cipher } from '../encryption/cipher.js';
import { blobId, maxBlobBytes } from './blob-id.js';

export interface Packed {
  /** `plain` or `br`; of one that is encrypted, then `/` and the id of the key. */
  encoding: string;
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

export class Packing {
  readonly #cipher: Cipher;

  constructor(cipher = new Cipher()) {
    this.#cipher = cipher;
  }

  /** Of the key that everything is encrypted with; empty when nothing is. */
  get keyId(): string {
    return this.#cipher.currentId ?? '';
  }

  /** Does it lie as it would be written now? Without keys nothing that is encrypted is written anew. */
  isCurrent({ encoding }: Pick<Packed, 'encoding'>): boolean {
    return this.keyId === '' || keyIdIn(encoding) === this.keyId;
  }

  async pack(bytes: Buffer): Promise<Packed> {
    const { encoding, content } = await shorten(bytes);
    const sealed = this.#cipher.seal(content, 'blob');
    return sealed ? { encoding: `${encoding}/${sealed.keyId}`, content: sealed.content } : { encoding, content };
  }

  /**
   * The text that was packed under this id.
   *
   * @throws `State.Unreadable` when it cannot be what was packed · `Encryption.KeyMissing`
   */
  async unpack(id: string, { encoding, content }: Packed): Promise<string> {
    const keyId = keyIdIn(encoding);
    const opened = keyId === undefined ? content : this.#cipher.open({ keyId, content }, 'blob');
    const bytes = isPlain(encoding) ? opened : await decompress(opened, { maxOutputLength: maxBlobBytes }).catch(() => undefined);
    if (bytes === undefined || blobId(bytes) !== id) {
      throw fail('State.Unreadable', `The text "${id}" in the store is damaged. It is left as it is: restore the store from a backup.`);
    }
    return bytes.toString('utf8');
  }

  /** A row of the event log, of the list of snapshots or of deletions, as one text. */
  write(document: object, kind: Row): string {
    const json = JSON.stringify(document);
    const sealed = this.#cipher.seal(Buffer.from(json, 'utf8'), kind);
    return sealed ? `${sealedRow}${sealed.keyId}:${sealed.content.toString('base64')}` : json;
  }

  /** @throws `Encryption.KeyMissing` */
  read(text: string, kind: Row): object {
    if (!text.startsWith(sealedRow)) return JSON.parse(text) as object;
    const [keyId = '', content = ''] = text.slice(sealedRow.length).split(':');
    return JSON.parse(this.#cipher.open({ keyId, content: Buffer.from(content, 'base64') }, kind).toString('utf8')) as object;
  }
}

type Row = 'event' | 'snapshot' | 'deletion';

/** No JSON begins like this. */
const sealedRow = 'encrypted:';

function isPlain(encoding: string): boolean {
  return encoding.split('/')[0] === 'plain';
}

function keyIdIn(encoding: string): string | undefined {
  return encoding.split('/')[1];
}

async function shorten(bytes: Buffer): Promise<Packed> {
  if (bytes.length >= packFromBytes) {
    const content = await compress(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    });
    if (content.length < 0.9 * bytes.length) return { encoding: 'br', content };
  }
  return { encoding: 'plain', content: bytes };
}
