/** What was deleted on request stands in no table any more: every text and every byte of the database is looked through. */
import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ScriptedCall } from '../../../src/testing/index.js';
import { eventually } from '../../support/eventually.js';
import { postgresServer, type PostgresServer } from '../../support/postgres.js';
import { devServer } from '../../support/servers.js';
import { openWorld } from '../../support/world.js';

let environment: TestWorkflowEnvironment;
let server: PostgresServer;
beforeAll(async () => {
  [environment, server] = await Promise.all([devServer(), postgresServer()]);
});
afterAll(async () => {
  await environment?.teardown();
  await server?.stop();
});

const ours = { instructions: 'marzipanglacier', message: 'jellyfishsaddle', reply: 'turnipballoon', label: 'cactusviolin' };
const theirs = { instructions: 'quagmirefolly', message: 'wombatlantern' };
const counting = ({ messages }: ScriptedCall) => `${messages.some(({ content }) => content === ours.message) ? ours.reply : 'yes'}`;

test('no word of it is found, and what others have said is', async () => {
  const storeUrl = await server.url();
  await using world = await openWorld({ environment, script: counting, config: { storeUrl, janitor: { graceMs: 50 } } });
  const sessionOf = (instructions: string) => world.client.session({ name: 'clerk', model: 'clerk', instructions }, randomUUID());
  const [session, other] = [sessionOf(ours.instructions), sessionOf(theirs.instructions)];
  await session.say(ours.message);
  await session.save({ label: ours.label });
  await session.cancel();
  await session.result();
  await other.say(theirs.message);
  expect(await wordsIn(storeUrl, Object.values(ours))).toEqual(Object.values(ours));

  const report = await eventually(async () => {
    const told = await world.client.deleteRun(session.id, { timeout: '2 seconds' });
    expect(told.status).toBe('done');
    return told;
  });

  expect(report.proof).toMatchObject({ executions: 0, snapshots: 0, events: 0, texts: 0 });
  expect(await wordsIn(storeUrl, Object.values(ours))).toEqual([]);
  expect(await wordsIn(storeUrl, Object.values(theirs))).toEqual(Object.values(theirs));
  expect((await other.say('still here')).reply).toBe('yes');
  await other.cancel();
});

/** Those of the words that stand in any column of any table. */
async function wordsIn(url: string, words: string[]): Promise<string[]> {
  const columns = await server.query<{ place: string; name: string; type: string }>(
    url,
    `SELECT format('%I.%I', table_schema, table_name) AS place, format('%I', column_name) AS name, data_type AS type
       FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
      WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  expect(columns.length).toBeGreaterThan(20);
  const found = new Set<string>();
  for (const { place, name, type } of columns) {
    const text = type === 'bytea' ? `encode(${name}, 'escape')` : `${name}::text`;
    for (const word of words) {
      const rows = await server.query(url, `SELECT 1 FROM ${place} WHERE position($1 in ${text}) > 0 LIMIT 1`, [word]);
      if (rows.length > 0) found.add(word);
    }
  }
  return words.filter((word) => found.has(word));
}
