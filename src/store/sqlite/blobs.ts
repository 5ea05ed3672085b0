import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import { fail } from '../../contract/failure.js';
import { blobId, maxBlobBytes } from '../blob-id.js';
import type { BlobStore } from '../store.js';
import type { Database, Statement } from './database.js';

interface Packed {
  encoding: 'plain' | 'br';
  content: Buffer;
}

/** Packing runs beside the event loop, writing blocks it: from about this size on, packing gives back more than it takes. */
const packFromBytes = 64 * 1024;

/** Runs are made of blobs: one that was acknowledged is on the disk. */
export class SqliteBlobs implements BlobStore {
  readonly #database: Database;
  readonly #environment: number;
  readonly #find: Statement<Packed>;
  readonly #has: Statement<{ id: string }>;
  readonly #add: Statement<never>;

  constructor(database: Database, environment: number) {
    this.#database = database;
    this.#environment = environment;
    this.#find = database.prepare('SELECT encoding, content FROM blobs WHERE environment = ? AND id = ?');
    this.#has = database.prepare('SELECT id FROM blobs WHERE environment = ? AND id = ?');
    this.#add = database.prepare('INSERT INTO blobs (environment, id, encoding, content) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING');
  }

  async put(text: string): Promise<string> {
    const bytes = Buffer.from(text, 'utf8');
    if (bytes.length > maxBlobBytes) {
      throw fail(
        'Input.TooLarge',
        `A text of ${bytes.length} bytes is more than the store keeps in one piece (${maxBlobBytes}). Split it.`,
      );
    }
    const id = blobId(bytes);
    // What can be seen was committed by a durable write: there is nothing to wait for.
    if (await this.#database.read(() => this.#has.get(this.#environment, id))) return id;
    const { encoding, content } = await pack(bytes);
    await this.#database.write(() => this.#add.run(this.#environment, id, encoding, content), { durable: true });
    return id;
  }

  async get(id: string): Promise<string | undefined> {
    const packed = await this.#database.read(() => this.#find.get(this.#environment, id));
    if (packed === undefined) return undefined;
    const bytes = await unpack(packed);
    if (bytes === undefined || blobId(bytes) !== id) {
      throw fail('State.Unreadable', `The text "${id}" in the store is damaged. It is left as it is: restore the store from a backup.`);
    }
    return bytes.toString('utf8');
  }
}

// Brotli's fastest level is faster than gzip's, and packs prose and JSON better: to a quarter.
const compress = promisify<Buffer, object, Buffer>(brotliCompress);
const decompress = promisify<Buffer, object, Buffer>(brotliDecompress);

async function pack(bytes: Buffer): Promise<Packed> {
  if (bytes.length >= packFromBytes) {
    const content = await compress(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    });
    if (content.length < 0.9 * bytes.length) return { encoding: 'br', content };
  }
  return { encoding: 'plain', content: bytes };
}

/** `undefined` when it cannot be what was packed. */
async function unpack({ encoding, content }: Packed): Promise<Buffer | undefined> {
  if (encoding === 'plain') return content;
  return decompress(content, { maxOutputLength: maxBlobBytes }).catch(() => undefined);
}
