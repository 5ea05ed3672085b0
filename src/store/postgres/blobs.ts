import { toBytes } from '../packing.js';
import type { Packed, Packing } from '../packing.js';
import type { BlobStore, Swept } from '../store.js';
import { sweep } from '../sweep.js';
import type { Database } from './database.js';
import { doomedIn } from './doomed.js';

/** A text shorter than this is sent without asking first: an answer would take as long. */
const askFromBytes = 16 * 1024;

/** Runs are made of blobs: one that was acknowledged is on the server's disk. */
export class PostgresBlobs implements BlobStore {
  readonly #database: Database;
  readonly #environment: number;
  readonly #packing: Packing;

  constructor(database: Database, environment: number, packing: Packing) {
    this.#database = database;
    this.#environment = environment;
    this.#packing = packing;
  }

  async put(text: string): Promise<string> {
    const { id, bytes } = toBytes(text);
    if (bytes.length >= askFromBytes) {
      // What is not doomed stays for a while.
      const [known] = await this.#database.query<Pick<Packed, 'encoding'>>(
        `SELECT encoding FROM ostinato.blobs WHERE environment = $1 AND id = $2
         AND NOT EXISTS (SELECT FROM ostinato.doomed WHERE environment = $1 AND id = $2)`,
        [this.#environment, id],
      );
      if (known && this.#packing.isCurrent(known)) return id;
    }
    const { encoding, content } = await this.#packing.pack(bytes);
    await this.#database.query(
      // The same text under another key gives its place: so it outlives that key.
      `WITH renewed AS (
         UPDATE ostinato.blobs SET encoding = $3, content = $4
         WHERE environment = $1 AND id = $2 AND $5 <> '' AND split_part(encoding, '/', 2) <> $5
       ) SELECT ostinato.put_blob($1, $2, $3, $4)`,
      [this.#environment, id, encoding, content, this.#packing.keyId],
    );
    return id;
  }

  async get(id: string): Promise<string | undefined> {
    // Nothing else was ever an id, and a zero byte would be an error.
    if (!/^[0-9a-f]{32}$/.test(id)) return undefined;
    const [packed] = await this.#database.query<Packed>('SELECT encoding, content FROM ostinato.blobs WHERE environment = $1 AND id = $2', [
      this.#environment,
      id,
    ]);
    return packed && this.#packing.unpack(id, packed);
  }

  async collect(isReferenced: (id: string) => boolean, graceMs: number): Promise<Swept> {
    return await sweep(doomedIn(this.#database, this.#environment, graceMs), isReferenced);
  }
}
