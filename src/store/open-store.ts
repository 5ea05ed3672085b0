import { openSqliteStore } from './sqlite/open-sqlite-store.js';
import type { Environment, Store } from './store.js';

export interface StoreOptions {
  /** Where the store lives; made when missing, readable by its owner only. On a local disk: processes on one machine may share it. */
  dataDir: string;
  /** Everything written is seen from this environment alone. */
  environment: Environment;
}

/**
 * Opens the store of an environment: the only place that knows which engines there are.
 *
 * @throws `Store.Unavailable` when it cannot be opened, with what to do about it.
 * @throws `State.Newer` when a newer release wrote it. It is left as it is.
 */
export async function openStore({ dataDir, environment }: StoreOptions): Promise<Store> {
  return openSqliteStore(dataDir, environment);
}
