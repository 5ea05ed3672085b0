import { Cipher } from '../encryption/cipher.js';
import type { EncryptionKey } from '../encryption/keys.js';
import { openPostgresStore } from './postgres/open-postgres-store.js';
import { openSqliteStore } from './sqlite/open-sqlite-store.js';
import type { Environment, Store } from './store.js';

export interface StoreOptions {
  /** A PostgreSQL database, shared by machines: `postgresql://user:password@host/database`. Without it the store is a file in `dataDir`. */
  url?: string;
  /** Where the store lives; made when missing, readable by its owner only. On a local disk: processes on one machine may share it. */
  dataDir: string;
  /** Everything written is seen from this environment alone. */
  environment: Environment;
  /** The first encrypts what is written, all decrypt. @default nothing is encrypted */
  encryptionKeys?: readonly EncryptionKey[];
}

/**
 * Opens the store of an environment: the only place that knows which engines there are.
 *
 * @throws `Store.Unavailable` when it cannot be opened, with what to do about it.
 * @throws `Input.Invalid` when `url` is not the address of a database.
 * @throws `State.Newer` when a newer release wrote it. It is left as it is.
 */
export async function openStore({ url, dataDir, environment, encryptionKeys }: StoreOptions): Promise<Store> {
  const cipher = new Cipher(encryptionKeys);
  return url !== undefined ? openPostgresStore(url, environment, cipher) : openSqliteStore(dataDir, environment, cipher);
}
