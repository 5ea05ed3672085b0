import { Packing, toBytes } from '../packing.js';
import type { Packed } from '../packing.js';
import type { BlobStore, Swept } from '../store.js';
import { sweep } from '../sweep.js';
import type { Database, Statement } from './database.js';
import { SqliteDoomed } from './doomed.js';

/** Runs are made of blobs: one that was acknowledged is on the disk. */
export class SqliteBlobs implements BlobStore {
  readonly #database: Database;
  readonly #environment: number;
  readonly #packing: Packing;
  readonly #doomed: SqliteDoomed;
  readonly #find: Statement<Packed>;
  readonly #has: Statement<Pick<Packed, 'encoding'>>;
  readonly #add: Statement<never>;

  constructor(database: Database, environment: number, packing = new Packing()) {
    this.#database = database;
    this.#environment = environment;
    this.#packing = packing;
    this.#doomed = new SqliteDoomed(database, environment);
    this.#find = database.prepare('SELECT encoding, content FROM blobs WHERE environment = ? AND id = ?');
    this.#has = database.prepare(`
      SELECT encoding FROM blobs WHERE environment = ?1 AND id = ?2
      AND NOT EXISTS (SELECT 1 FROM doomed WHERE environment = ?1 AND id = ?2)`);
    // The same text under another key takes its place: so it outlives that key.
    this.#add = database.prepare(`
      INSERT INTO blobs (environment, id, encoding, content) VALUES (?1, ?2, ?3, ?4)
      ON CONFLICT DO UPDATE SET encoding = ?3, content = ?4
      WHERE ?5 <> '' AND (encoding NOT LIKE '%/%' OR substr(encoding, instr(encoding, '/') + 1) <> ?5)`);
  }

  async put(text: string): Promise<string> {
    const { id, bytes } = toBytes(text);
    // What can be seen was committed by a durable write, and what is not doomed stays for a while: there is nothing to wait for.
    const found = await this.#database.read(() => this.#has.get(this.#environment, id));
    if (found && this.#packing.isCurrent(found)) return id;
    const { encoding, content } = await this.#packing.pack(bytes);
    // In one transaction: one that is being deleted is there again afterwards, one that is to be deleted is not.
    const add = (): void => {
      this.#add.run(this.#environment, id, encoding, content, this.#packing.keyId);
      this.#doomed.spare(id);
    };
    await this.#database.write(add, { durable: true });
    return id;
  }

  async get(id: string): Promise<string | undefined> {
    const packed = await this.#database.read(() => this.#find.get(this.#environment, id));
    return packed && this.#packing.unpack(id, packed);
  }

  async collect(isReferenced: (id: string) => boolean, graceMs: number): Promise<Swept> {
    return await sweep(this.#doomed.sweep(graceMs), isReferenced);
  }
}
