import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engines, storeSuite } from './store-suite.js';

for (const [engine, encryptionKeys] of engines('SQLite'))
  storeSuite(engine, async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ostinato-store-'));
    return {
      optionsFor: (environment) => ({ dataDir, environment, encryptionKeys }),
      remove: () => rm(dataDir, { recursive: true, force: true }),
    };
  });
