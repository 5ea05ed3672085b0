import type { Cipher } from '../../encryption/cipher.js';
import { Changes } from '../changes.js';
import { Packing } from '../packing.js';
import { LinedPermits } from '../permits.js';
import type { Environment, Store } from '../store.js';
import { PostgresBlobs } from './blobs.js';
import { Database } from './database.js';
import { PostgresDeletions } from './deletions.js';
import { PostgresEventLog } from './events.js';
import { Messenger, nameOf } from './messenger.js';
import { keyOf, readable } from './names.js';
import { PostgresPlaces } from './permits.js';
import { prepareSchema } from './schema.js';
import { PostgresSnapshots } from './snapshots.js';

/** Whoever waits looks this often by itself: while messages come, in case one was lost; while none do, to learn anything at all. */
const lookMs = { listening: 1000, deaf: 200 };
const lookMsPerNap = 5;

/** A store in the schema `ostinato` of a database, shared by machines. */
export async function openPostgresStore(url: string, environment: Environment, cipher?: Cipher): Promise<Store> {
  const packing = new Packing(cipher);
  const database = new Database(url);
  const id = await prepareSchema(database)
    .then(() => environmentId(database, environment))
    .catch(async (error: unknown) => {
      await database.close();
      throw error;
    });

  const changes: Changes = new Changes({
    changed: () => {
      messenger.listen();
      return true;
    },
    pauseMs: (naps) => Math.max(messenger.isListening ? lookMs.listening : lookMs.deaf, naps * lookMsPerNap),
    nameOf: (key) => nameOf(id, key),
    tell: (name) => messenger.tell(name),
  });
  const messenger = new Messenger(database, {
    hear: (name) => changes.hear(name),
    listening: () => changes.announceAll(),
  });
  const permits = new LinedPermits(new PostgresPlaces(database, id), changes);
  return {
    environment,
    blobs: new PostgresBlobs(database, id, packing),
    snapshots: new PostgresSnapshots(database, id, packing),
    events: new PostgresEventLog(database, changes, id, packing),
    permits,
    deletions: new PostgresDeletions(database, id, packing),
    // Its own vacuum does.
    scrub: async () => undefined,
    async close() {
      await permits.close(async () => {
        await messenger.close();
        await database.close();
      });
      changes.announceAll();
    },
  };
}

/** Rows name their environment by a number: it is part of every key. */
async function environmentId(database: Database, { namespace, taskQueue }: Environment): Promise<number> {
  const key = keyOf(namespace, taskQueue);
  const find = async (): Promise<number | undefined> =>
    (await database.query<{ id: number }>('SELECT id FROM ostinato.environments WHERE key = $1', [key]))[0]?.id;
  const known = await find();
  if (known !== undefined) return known;
  await database.query('INSERT INTO ostinato.environments (key, namespace, task_queue) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
    key,
    readable(namespace),
    readable(taskQueue),
  ]);
  return (await find())!;
}
