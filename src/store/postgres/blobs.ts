import { pack, toBytes, unpack } from '../packing.js';
import type { Packed } from '../packing.js';
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

  constructor(database: Database, environment: number) {
    this.#database = database;
    this.#environment = environment;
  }

  async put(text: string): Promise<string> {
    const { id, bytes } = toBytes(text);
    if (bytes.length >= askFromBytes) {
      // What is not doomed stays for a while.
      const known = await this.#database.query(
        `SELECT FROM ostinato.blobs WHERE environment = $1 AND id = $2
         AND NOT EXISTS (SELECT FROM ostinato.doomed WHERE environment = $1 AND id = $2)`,
        [this.#environment, id],
      );
      if (known.length > 0) return id;
    }
    const { encoding, content } = await pack(bytes);
    await this.#database.query('SELECT ostinato.put_blob($1, $2, $3, $4)', [this.#environment, id, encoding, content]);
    return id;
  }

  async get(id: string): Promise<string | undefined> {
    // Nothing else was ever an id, and a zero byte would be an error.
    if (!/^[0-9a-f]{32}$/.test(id)) return undefined;
    const [packed] = await this.#database.query<Packed>('SELECT encoding, content FROM ostinato.blobs WHERE environment = $1 AND id = $2', [
      this.#environment,
      id,
    ]);
    return packed && unpack(id, packed);
  }

  async collect(isReferenced: (id: string) => boolean, graceMs: number): Promise<Swept> {
    return await sweep(doomedIn(this.#database, this.#environment, graceMs), isReferenced);
  }
}
