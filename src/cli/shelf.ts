/** What lies in the store can be looked at and sorted without a Temporal server: a client that would connect only when it had to. */
import { Client, Connection } from '@temporalio/client';
import { connect, type OstinatoClient } from '../client.js';
import { resolveTarget } from '../connection.js';
import { clientDataConverter } from '../encryption/data-converter.js';
import type { Context } from './context.js';

export interface Shelf {
  client: OstinatoClient;
  /** Whose part of the store it is, in words. */
  where: string;
}

/** @throws `Store.Unavailable` */
export async function openShelf({ config, defer }: Pick<Context, 'config' | 'defer'>): Promise<Shelf> {
  const { namespace, options } = resolveTarget(config);
  const connection = Connection.lazy(options());
  defer(() => connection.close());
  const client = await connect({
    config,
    temporal: new Client({ connection, namespace, dataConverter: clientDataConverter(config.encryptionKeys()) }),
  });
  defer(() => client.close());
  const store = config.storeUrl() === undefined ? config.dataDir : 'the database of OSTINATO_STORE_URL';
  return { client, where: `task queue "${config.taskQueue}" of namespace "${namespace}", in ${store}` };
}
