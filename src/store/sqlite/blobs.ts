import { pack, toBytes, unpack } from '../packing.js';
import type { Packed } from '../packing.js';
import type { BlobStore } from '../store.js';
import type { Database, Statement } from './database.js';

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
    const { id, bytes } = toBytes(text);
    // What can be seen was committed by a durable write: there is nothing to wait for.
    if (await this.#database.read(() => this.#has.get(this.#environment, id))) return id;
    const { encoding, content } = await pack(bytes);
    await this.#database.write(() => this.#add.run(this.#environment, id, encoding, content), { durable: true });
    return id;
  }

  async get(id: string): Promise<string | undefined> {
    const packed = await this.#database.read(() => this.#find.get(this.#environment, id));
    return packed && unpack(id, packed);
  }
}
