/** A process for tests that end one with kill -9: `server <dataDir> <cacheDir>` or `lock <file>`. Says on one line what it has, and stays. */
import { loadConfig } from '../../src/config.js';
import { withLock } from '../../src/dev/lock.js';
import { findOrStartServer } from '../../src/dev/server.js';

const [what, first = '', second = ''] = process.argv.slice(2);
const forever = new Promise<never>(() => setInterval(() => undefined, 60_000));

if (what === 'lock') {
  await withLock(first, () => {
    console.log('{}');
    return forever;
  });
} else {
  const config = loadConfig({ dataDir: first, cacheDir: second });
  const { address, started } = await findOrStartServer({ config, ports: { server: 0, ui: 0 } });
  console.log(JSON.stringify({ address, started }));
  await forever;
}
