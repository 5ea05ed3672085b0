import { join } from 'node:path';
import type { Environment, Store } from '../store.js';
import { SqliteBlobs } from './blobs.js';
import { Changes } from './changes.js';
import { openDatabase } from './database.js';
import type { Database } from './database.js';
import { SqliteEventLog } from './events.js';
import { createDatabaseFile } from './file.js';
import { SqlitePermits } from './permits.js';
import { SqliteSnapshots } from './snapshots.js';

/** A store in one file, `store.db`, embedded in every process that uses it. */
export async function openSqliteStore(dataDir: string, environment: Environment): Promise<Store> {
  const path = join(dataDir, 'store.db');
  createDatabaseFile(path);
  const database = await openDatabase(path);
  const changes = new Changes(() => database.changedElsewhere());
  const id = await environmentId(database, environment).catch(async (error: unknown) => {
    await database.close();
    throw error;
  });
  const permits = new SqlitePermits(database, changes, id);
  return {
    environment,
    blobs: new SqliteBlobs(database, id),
    snapshots: new SqliteSnapshots(database, id),
    events: new SqliteEventLog(database, changes, id),
    permits,
    async close() {
      const released = permits.releaseAll();
      // Closed before the places are free: they are not for those who wait here.
      await database.close();
      await released;
      changes.announceAll();
    },
  };
}

/** Rows name their environment by a number: it is part of every key. */
async function environmentId(database: Database, { namespace, taskQueue }: Environment): Promise<number> {
  const find = database.prepare<{ id: number }>('SELECT id FROM environments WHERE namespace = ? AND task_queue = ?');
  const add = database.prepare<{ id: number }>('INSERT INTO environments (namespace, task_queue) VALUES (?, ?) RETURNING id');
  const known = await database.read(() => find.get(namespace, taskQueue));
  if (known !== undefined) return known.id;
  return database.write(() => (find.get(namespace, taskQueue) ?? add.get(namespace, taskQueue)!).id);
}
