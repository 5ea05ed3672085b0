import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postgresServer, type PostgresServer } from '../../support/postgres.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await postgresServer();
});
afterAll(() => server.stop());

test('a process that does nothing more than close its store lives until it is closed', async () => {
  const program = `
    import { openStore } from '${new URL('../../../src/store/open-store.ts', import.meta.url).href}';
    const store = await openStore({ url: process.env.URL, dataDir: '', environment: { namespace: 'default', taskQueue: 'ostinato' } });
    const log = { workflowId: 'run', firstRunId: 'run-1' };
    await store.events.read(log, { epoch: 0, seq: 0 }, { waitMs: 500 });
    await store.events.append(log, [{ type: 'delta', key: 'one', at: '2026-01-02T03:04:05Z', text: 'one' }]);
    await store.close();
    console.log('closed');`;
  const ran = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    env: { ...process.env, URL: await server.url() },
  }).catch((error: unknown) => error);

  expect(ran).toMatchObject({ stdout: 'closed\n', stderr: '' });
});
