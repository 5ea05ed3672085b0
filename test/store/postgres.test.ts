import { tmpdir } from 'node:os';
import { afterAll, beforeAll } from 'vitest';
import { postgresServer, type PostgresServer } from '../support/postgres.js';
import { storeSuite } from './store-suite.js';

let server: PostgresServer;

beforeAll(async () => {
  server = await postgresServer();
});

afterAll(() => server.stop());

storeSuite('PostgreSQL', async () => {
  const url = await server.url();
  return {
    optionsFor: (environment) => ({ url, dataDir: tmpdir(), environment }),
    remove: async () => undefined,
  };
});
