import { fail } from '../../contract/failure.js';
import type { Database, Query } from './database.js';

/** Whoever changes the schema holds the advisory lock of this number: "Osti". */
const lock = 0x4f737469;
/** The oldest that is still maintained somewhere, and that we have tried. */
const oldestServer = 120_000;

/**
 * Brings the schema `ostinato` up to date. Several processes may do so at once. A schema of a newer release, or of another
 * program, is refused before anything is changed.
 */
export async function prepareSchema(database: Database, steps: readonly string[] = schemaSteps): Promise<void> {
  const { name } = database.address;
  await database.transaction(async (query) => {
    await refuseServer(query, name);
    if ((await schemaVersion(query, name, steps)) === steps.length) return;
    await query('SELECT pg_advisory_xact_lock($1)', [lock]);
    // Read again under the lock: another process may have been faster.
    const version = await schemaVersion(query, name, steps);
    if (version === undefined) await query('CREATE SCHEMA ostinato');
    if (!version) await query('CREATE TABLE ostinato.schema_version AS SELECT 0 AS version');
    for (const step of steps.slice(version ?? 0)) await query(step);
    await query('UPDATE ostinato.schema_version SET version = $1', [steps.length]);
  });
}

async function refuseServer(query: Query, name: string): Promise<void> {
  const [server] = await query<{ version: number; encoding: string }>(
    `SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding`,
  );
  const { version, encoding } = server!;
  const refuse = (why: string): Error => fail('Store.Unavailable', `The store "${name}" cannot be used: ${why}`);
  if (version < oldestServer) throw refuse(`its PostgreSQL is older than ${oldestServer / 10_000}. Upgrade it.`);
  if (encoding !== 'UTF8') {
    throw refuse(`its encoding is ${encoding}, which cannot hold every text. Create a database with ENCODING 'UTF8' TEMPLATE template0.`);
  }
}

/** `undefined`: there is no schema yet; 0: one with nothing in it, made for us. */
async function schemaVersion(query: Query, name: string, steps: readonly string[]): Promise<number | undefined> {
  const [found] = await query<{ schema: boolean; version_table: boolean; things: boolean }>(`
    SELECT to_regnamespace('ostinato') IS NOT NULL AS schema,
      to_regclass('ostinato.schema_version') IS NOT NULL AS version_table,
      EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace('ostinato')) AS things`);
  const { schema, version_table: hasVersion, things } = found!;
  if (!schema) return undefined;
  if (!hasVersion && !things) return 0;
  const version = hasVersion ? (await query<{ version: number }>('SELECT version FROM ostinato.schema_version'))[0]?.version : undefined;
  if (version === undefined) {
    throw fail(
      'Store.Unavailable',
      `The schema "ostinato" of "${name}" belongs to another program. It is left as it is: name another database in OSTINATO_STORE_URL.`,
    );
  }
  if (version > steps.length) {
    throw fail(
      'State.Newer',
      `The store "${name}" was written by a newer release (its schema is ${version}, this one knows ${steps.length}). ` +
        'It is left as it is: upgrade, or name another database in OSTINATO_STORE_URL.',
    );
  }
  return version;
}

/**
 * The schema, step by step; `schema_version` counts the steps that a database has seen. A released step is frozen: append, never
 * edit. Releases run side by side while they are upgraded, so a step only adds what the one before can ignore.
 *
 * Names that a caller chooses are keys by their hash: an index takes no long ones, and a text no zero byte.
 */
export const schemaSteps: readonly string[] = [
  `
  CREATE TABLE ostinato.environments (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key BYTEA NOT NULL UNIQUE,
    namespace TEXT NOT NULL,
    task_queue TEXT NOT NULL
  );

  CREATE TABLE ostinato.blobs (
    environment INTEGER NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    encoding TEXT NOT NULL,
    content BYTEA NOT NULL,
    PRIMARY KEY (environment, id)
  );
  -- What is worth packing is packed already.
  ALTER TABLE ostinato.blobs ALTER COLUMN content SET STORAGE EXTERNAL;

  CREATE TABLE ostinato.snapshots (
    ordinal BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    environment INTEGER NOT NULL,
    key BYTEA NOT NULL,
    run BYTEA NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (environment, key)
  );
  CREATE INDEX snapshots_of_a_run ON ostinato.snapshots (environment, run, ordinal);

  CREATE TABLE ostinato.logs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    environment INTEGER NOT NULL,
    key BYTEA NOT NULL,
    workflow_id TEXT NOT NULL,
    first_run_id TEXT NOT NULL,
    epoch INTEGER NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL DEFAULT 0,
    UNIQUE (environment, key)
  ) WITH (fillfactor = 70);

  CREATE TABLE ostinato.events (
    log BIGINT NOT NULL,
    seq INTEGER NOT NULL,
    key BYTEA NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (log, seq),
    UNIQUE (log, key)
  );

  CREATE TABLE ostinato.permits (
    environment INTEGER NOT NULL,
    key BYTEA NOT NULL,
    holder TEXT NOT NULL,
    name TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (environment, key, holder)
  );

  -- Functions, so that a lock is held for no longer than the server works, whatever becomes of the caller.
  CREATE FUNCTION ostinato.append_events(
    in_environment INTEGER, in_key BYTEA, in_workflow_id TEXT, in_first_run_id TEXT, in_keys BYTEA[], in_events TEXT[]
  ) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE
    found_log BIGINT;
    last INTEGER;
    added INTEGER := 0;
    given RECORD;
  BEGIN
    -- The lock on the log's row makes the numbers follow the commits.
    LOOP
      SELECT id, last_seq INTO found_log, last FROM ostinato.logs WHERE environment = in_environment AND key = in_key FOR UPDATE;
      EXIT WHEN FOUND;
      INSERT INTO ostinato.logs (environment, key, workflow_id, first_run_id)
        VALUES (in_environment, in_key, in_workflow_id, in_first_run_id) ON CONFLICT DO NOTHING;
    END LOOP;
    -- One by one: for a whole batch the planner may choose to read all events, as long as it believes that they are few.
    FOR given IN SELECT * FROM unnest(in_keys, in_events) AS each (key, event) LOOP
      INSERT INTO ostinato.events (log, seq, key, event) VALUES (found_log, last + added + 1, given.key, given.event)
        ON CONFLICT (log, key) DO NOTHING;
      IF FOUND THEN
        added := added + 1;
      END IF;
    END LOOP;
    IF added > 0 THEN
      UPDATE ostinato.logs SET last_seq = last + added WHERE id = found_log;
    END IF;
  END $$;

  CREATE FUNCTION ostinato.take_place(
    in_environment INTEGER, in_key BYTEA, in_holder TEXT, in_name TEXT, in_limit FLOAT8, in_lease INTERVAL
  ) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
  DECLARE
    now_here TIMESTAMPTZ := clock_timestamp();
  BEGIN
    -- Whoever only waits leaves the lock to those who work.
    IF (SELECT count(*) FROM ostinato.permits
        WHERE environment = in_environment AND key = in_key AND expires_at > now_here AND holder <> in_holder) >= in_limit THEN
      RETURN false;
    END IF;
    -- Leases are short: they need not be on the disk.
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_advisory_xact_lock(hashtextextended('ostinato ' || in_environment || ' ' || encode(in_key, 'hex'), 0));
    now_here := clock_timestamp();
    DELETE FROM ostinato.permits WHERE environment = in_environment AND key = in_key AND expires_at <= now_here;
    IF (SELECT count(*) FROM ostinato.permits WHERE environment = in_environment AND key = in_key AND holder <> in_holder) >= in_limit THEN
      RETURN false;
    END IF;
    INSERT INTO ostinato.permits (environment, key, holder, name, expires_at)
      VALUES (in_environment, in_key, in_holder, in_name, now_here + in_lease)
      ON CONFLICT (environment, key, holder) DO UPDATE SET expires_at = excluded.expires_at;
    RETURN true;
  END $$;

  CREATE FUNCTION ostinato.give_back_place(in_environment INTEGER, in_key BYTEA, in_holder TEXT) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    DELETE FROM ostinato.permits WHERE environment = in_environment AND key = in_key AND holder = in_holder;
  END $$;
  `,
  `
  -- Blobs that nothing referred to when somebody looked, and since when.
  CREATE TABLE ostinato.doomed (
    environment INTEGER NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    since TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (environment, id)
  );

${rightsLikeBlobs('doomed')}

  -- First the mark, whose row both functions lock, then the blob; each statement sees what was committed before it. So a blob that
  -- is being deleted is there again afterwards, and one that is to be deleted is not.
  CREATE FUNCTION ostinato.put_blob(in_environment INTEGER, in_id TEXT, in_encoding TEXT, in_content BYTEA)
  RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    DELETE FROM ostinato.doomed WHERE environment = in_environment AND id = in_id;
    INSERT INTO ostinato.blobs (environment, id, encoding, content) VALUES (in_environment, in_id, in_encoding, in_content)
      ON CONFLICT DO NOTHING;
  END $$;

  CREATE FUNCTION ostinato.delete_doomed(in_environment INTEGER, in_ids TEXT[], in_grace INTERVAL, OUT deleted BIGINT, OUT bytes BIGINT)
  LANGUAGE plpgsql AS $$
  DECLARE
    due TEXT[];
  BEGIN
    -- What somebody else has locked is put, or deleted, at this moment.
    SELECT array_agg(id) INTO due FROM (
      SELECT id FROM ostinato.doomed
      WHERE environment = in_environment AND id = ANY (in_ids) AND since <= clock_timestamp() - in_grace FOR UPDATE SKIP LOCKED
    ) AS locked;
    WITH gone AS (
      DELETE FROM ostinato.blobs WHERE environment = in_environment AND id = ANY (due) RETURNING length(content) AS size
    )
    SELECT count(*), coalesce(sum(size), 0) INTO deleted, bytes FROM gone;
    DELETE FROM ostinato.doomed WHERE environment = in_environment AND id = ANY (due);
  END $$;
  `,
  `
  -- What a run has left is found by these. Those that an earlier release has listed, or still lists, have none: their records tell.
  ALTER TABLE ostinato.snapshots ADD COLUMN reason TEXT, ADD COLUMN first_run BYTEA;
  CREATE INDEX snapshots_by_reason ON ostinato.snapshots (environment, run, reason, ordinal);
  `,
  `
  -- Another log that this one is deleted with.
  ALTER TABLE ostinato.logs ADD COLUMN owner BYTEA;
  CREATE INDEX logs_of_an_owner ON ostinato.logs (environment, owner) WHERE owner IS NOT NULL;
  CREATE INDEX logs_of_a_run ON ostinato.logs (environment, hashtextextended(workflow_id, 0));

  -- What is to be deleted, and when.
  CREATE TABLE ostinato.deletions (
    environment INTEGER NOT NULL,
    key BYTEA NOT NULL,
    due TIMESTAMPTZ NOT NULL,
    begun BOOLEAN NOT NULL DEFAULT false,
    deletion TEXT NOT NULL,
    PRIMARY KEY (environment, key)
  );
  CREATE INDEX deletions_by_time ON ostinato.deletions (environment, due);

${rightsLikeBlobs('deletions')}
  `,
];

/** Whoever may write blobs may write this: the rights on all tables were given before there was this one. */
function rightsLikeBlobs(table: string): string {
  return `  DO $$
  DECLARE
    given RECORD;
  BEGIN
    FOR given IN
      SELECT privilege_type, grantee, is_grantable FROM information_schema.role_table_grants
      WHERE table_schema = 'ostinato' AND table_name = 'blobs' AND grantee <> current_user
    LOOP
      EXECUTE format('GRANT %s ON ostinato.${table} TO %s%s', given.privilege_type,
        CASE given.grantee WHEN 'PUBLIC' THEN 'PUBLIC' ELSE quote_ident(given.grantee) END,
        CASE given.is_grantable WHEN 'YES' THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
  END $$;`;
}
