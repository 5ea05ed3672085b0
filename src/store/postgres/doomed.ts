import type { Found, Sweep } from '../sweep.js';
import { sweptAtOnce } from '../sweep.js';
import type { Database } from './database.js';

/** Blobs that nothing refers to, on their way out, by the server's clock. */
export function doomedIn(database: Database, environment: number, graceMs: number): Sweep {
  const grace = `${graceMs} milliseconds`;
  return {
    page: (after) =>
      database.query<Found>(
        `SELECT id, CASE WHEN since IS NULL THEN 'alive' WHEN since <= clock_timestamp() - $1::interval THEN 'due' ELSE 'doomed' END AS fate
         FROM ostinato.blobs LEFT JOIN ostinato.doomed USING (environment, id)
         WHERE environment = $2 AND id > $3 ORDER BY id LIMIT $4`,
        [grace, environment, after, sweptAtOnce],
      ),
    doom: (ids) =>
      database.query(
        `INSERT INTO ostinato.doomed (environment, id, since)
         SELECT environment, id, clock_timestamp() FROM ostinato.blobs WHERE environment = $1 AND id = ANY ($2::text[]) ORDER BY id
         ON CONFLICT DO NOTHING`,
        [environment, ids],
      ),
    spare: (ids) => database.query('DELETE FROM ostinato.doomed WHERE environment = $1 AND id = ANY ($2::text[])', [environment, ids]),
    delete: async (ids) => {
      const [gone] = await database.query<{ deleted: string; bytes: string }>(
        'SELECT deleted, bytes FROM ostinato.delete_doomed($1, $2::text[], $3::interval)',
        [environment, ids, grace],
      );
      return { deleted: Number(gone!.deleted), bytes: Number(gone!.bytes) };
    },
  };
}
