import type { Client } from '@temporalio/client';
import type { Store } from '../store/store.js';

/** What every handle needs. */
export interface ClientContext {
  temporal: Client;
  store: Store;
  taskQueue: string;
}
