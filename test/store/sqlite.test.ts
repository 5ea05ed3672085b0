import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeSuite } from './store-suite.js';

storeSuite('SQLite', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ostinato-store-'));
  return {
    optionsFor: (environment) => ({ dataDir, environment }),
    remove: () => rm(dataDir, { recursive: true, force: true }),
  };
});
