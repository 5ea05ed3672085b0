import { tmpdir } from 'node:os';
import { afterAll, beforeAll } from 'vitest';
import { postgresServer, type PostgresServer } from '../support/postgres.js';
import { engines, storeSuite } from './store-suite.js';

let server: PostgresServer;

beforeAll(async () => {
  server = await postgresServer();
});

afterAll(() => server.stop());

// Keys know nothing of engines: `npm run test:postgres` tries them with this one, too.
for (const [engine, encryptionKeys] of engines('PostgreSQL').slice(0, process.env.TEST_POSTGRES ? 2 : 1))
  storeSuite(engine, async () => {
    const url = await server.url();
    return {
      optionsFor: (environment) => ({ url, dataDir: tmpdir(), environment, encryptionKeys }),
      remove: async () => undefined,
    };
  });
