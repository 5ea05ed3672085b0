import { join } from 'node:path';
import type { Cipher } from '../../encryption/cipher.js';
import { Changes } from '../changes.js';
import { Packing } from '../packing.js';
import { LinedPermits } from '../permits.js';
import type { Environment, Store } from '../store.js';
import { SqliteBlobs } from './blobs.js';
import { openDatabase } from './database.js';
import type { Database } from './database.js';
import { SqliteDeletions } from './deletions.js';
import { SqliteEventLog } from './events.js';
import { createDatabaseFile } from './file.js';
import { SqlitePlaces } from './permits.js';
import { SqliteSnapshots } from './snapshots.js';

/** Another process's writes are noticed within this time. A look costs microseconds. */
const pollMs = 25;
const pollMsPerNap = 0.2;

/** A store in one file, `store.db`, embedded in every process that uses it. */
export async function openSqliteStore(dataDir: string, environment: Environment, cipher?: Cipher): Promise<Store> {
  const packing = new Packing(cipher);
  const path = join(dataDir, 'store.db');
  createDatabaseFile(path);
  const database = await openDatabase(path);
  const changes = new Changes({
    changed: () => database.changedElsewhere(),
    pauseMs: (naps) => Math.max(pollMs, naps * pollMsPerNap),
  });
  const id = await environmentId(database, environment).catch(async (error: unknown) => {
    await database.close();
    throw error;
  });
  const permits = new LinedPermits(new SqlitePlaces(database, id), changes);
  return {
    environment,
    blobs: new SqliteBlobs(database, id, packing),
    snapshots: new SqliteSnapshots(database, id, packing),
    events: new SqliteEventLog(database, changes, id, packing),
    permits,
    deletions: new SqliteDeletions(database, id, packing),
    scrub: () => database.checkpoint(),
    async close() {
      await permits.close(() => database.close());
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
