import type Driver from 'libsql';
import { fail } from '../../contract/failure.js';

/** Marks a file as ours: "Osti". */
export const applicationId = 0x4f737469;

/**
 * Prepares an open file: write-ahead log on, schema as it is today. Several processes may do so at once.
 * A file of a newer release or of another program is refused before anything is written to it.
 */
export function prepareFile(driver: Driver.Database, path: string, steps: readonly string[]): void {
  refuseForeign(driver, path);
  if (schemaVersion(driver) > steps.length) throw newer(driver, path, steps);
  const { journal_mode: mode } = driver.prepare('PRAGMA journal_mode = WAL').get() as { journal_mode: string };
  if (mode !== 'wal') {
    throw fail('Store.Unavailable', `The file system of "${path}" cannot hold a shared store. Choose a data directory on a local disk.`);
  }
  // After something large the log shrinks again.
  driver.exec('PRAGMA journal_size_limit = 16777216');
  // What is deleted is overwritten, and not left in free pages.
  driver.exec('PRAGMA secure_delete = ON');
  if (schemaVersion(driver) < steps.length) migrate(driver, path, steps);
}

function migrate(driver: Driver.Database, path: string, steps: readonly string[]): void {
  driver.exec('BEGIN IMMEDIATE');
  try {
    // Read again under the lock: another process may have been faster.
    const version = schemaVersion(driver);
    if (version > steps.length) throw newer(driver, path, steps);
    for (const step of steps.slice(version)) driver.exec(step);
    driver.exec(`PRAGMA user_version = ${steps.length}; PRAGMA application_id = ${applicationId}`);
    driver.exec('COMMIT');
  } catch (error) {
    if (driver.inTransaction) driver.exec('ROLLBACK');
    throw error;
  }
}

function refuseForeign(driver: Driver.Database, path: string): void {
  // In this order: another process may be filling an empty file, and marks it in the same transaction.
  const isEmpty = (driver.prepare('SELECT count(*) AS things FROM sqlite_schema').get() as { things: number }).things === 0;
  const mark = (driver.prepare('PRAGMA application_id').get() as { application_id: number }).application_id;
  if (isEmpty || mark === applicationId) return;
  throw fail('Store.Unavailable', `"${path}" is the database of another program. It is left as it is: choose another data directory.`);
}

function newer(driver: Driver.Database, path: string, steps: readonly string[]): Error {
  return fail(
    'State.Newer',
    `The store "${path}" was written by a newer release (its schema is ${schemaVersion(driver)}, this one knows ${steps.length}). ` +
      'It is left as it is: upgrade, or choose another data directory.',
  );
}

function schemaVersion(driver: Driver.Database): number {
  return (driver.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
}

/**
 * The schema, step by step; `user_version` counts the steps that a file has seen. A released step is frozen: append, never edit.
 * Releases run side by side while they are upgraded, so a step only adds what the one before can ignore.
 */
export const schemaSteps: readonly string[] = [
  `
  CREATE TABLE environments (
    id INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    task_queue TEXT NOT NULL,
    UNIQUE (namespace, task_queue)
  ) STRICT;

  CREATE TABLE blobs (
    environment INTEGER NOT NULL,
    id TEXT NOT NULL,
    encoding TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (environment, id)
  ) STRICT;

  CREATE TABLE logs (
    id INTEGER PRIMARY KEY,
    environment INTEGER NOT NULL,
    workflow_id TEXT NOT NULL,
    first_run_id TEXT NOT NULL,
    epoch INTEGER NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL DEFAULT 0,
    UNIQUE (environment, workflow_id, first_run_id)
  ) STRICT;

  CREATE TABLE events (
    log INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    key TEXT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (log, seq),
    UNIQUE (log, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE permits (
    environment INTEGER NOT NULL,
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (environment, name, holder)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE snapshots (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    environment INTEGER NOT NULL,
    id TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (environment, id)
  ) STRICT;

  CREATE INDEX snapshots_of_a_run ON snapshots (environment, workflow_id, ordinal);
  `,
  `
  -- Blobs that nothing referred to when somebody looked, and since when, in milliseconds.
  CREATE TABLE doomed (
    environment INTEGER NOT NULL,
    id TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (environment, id)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- What a run has left is found by these. Those that an earlier release has listed, or still lists, have none: their records tell.
  ALTER TABLE snapshots ADD COLUMN reason TEXT;
  ALTER TABLE snapshots ADD COLUMN first_run_id TEXT;

  CREATE INDEX snapshots_by_reason ON snapshots (environment, workflow_id, reason, ordinal);
  `,
  `
  -- Another log that this one is deleted with: its workflow id and first run id, as JSON.
  ALTER TABLE logs ADD COLUMN owner TEXT;
  CREATE INDEX logs_of_an_owner ON logs (environment, owner) WHERE owner IS NOT NULL;

  -- What is to be deleted, and when, in milliseconds.
  CREATE TABLE deletions (
    environment INTEGER NOT NULL,
    key TEXT NOT NULL,
    due INTEGER NOT NULL,
    begun INTEGER NOT NULL DEFAULT 0,
    deletion TEXT NOT NULL,
    PRIMARY KEY (environment, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX deletions_by_time ON deletions (environment, due);
  `,
];
