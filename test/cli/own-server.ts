/** A data directory whose Temporal server, started by a command, takes free ports and does not outlive the test. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/dev/ports.js';
import { endProcess } from '../../src/dev/process.js';
import { readServerRecord, writeServerRecord } from '../../src/dev/server-record.js';
import { temporalForTests } from '../support/servers.js';

export interface OwnServer extends AsyncDisposable {
  cwd: string;
  dataDir: string;
  env: Record<string, string>;
  /** Of the server that runs, by the record in the data directory. */
  serverPid(): number | undefined;
}

export async function ownServer(): Promise<OwnServer> {
  const cwd = await mkdtemp(join(tmpdir(), 'ostinato-own-'));
  const dataDir = join(cwd, '.ostinato');
  const database = join(dataDir, 'temporal.db');
  await mkdir(dataDir);
  // As if a server had been killed there: the next one takes its ports, where they are free.
  const [port, uiPort] = [await freePort([0]), await freePort([0])];
  const [address, uiUrl] = [`127.0.0.1:${port}`, `http://127.0.0.1:${uiPort}`];
  writeServerRecord(dataDir, { pid: 2 ** 30, address, uiUrl, database, startedAt: new Date().toISOString() });
  const serverPid = () => readServerRecord(dataDir)?.pid;
  return {
    cwd,
    dataDir,
    env: { OSTINATO_CACHE_DIR: temporalForTests().cacheDir },
    serverPid,
    async [Symbol.asyncDispose]() {
      const pid = serverPid();
      if (pid !== undefined) await endProcess(pid, database);
      await rm(cwd, { recursive: true, force: true });
    },
  };
}
