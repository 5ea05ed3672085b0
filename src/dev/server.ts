/** A Temporal server to work with: the one that is configured, the one that runs for this data directory already, or a new one. */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config.js';
import { checkTarget, configuredTarget, namespaceOf } from '../connection.js';
import { makeDirectory } from './executable.js';
import { withLock } from './lock.js';
import { prepareNamespace } from './namespace.js';
import { endProcess } from './process.js';
import { withProgress, type OnProgress } from './progress.js';
import { startServer, untilReady } from './server-process.js';
import { isRunning, ownRecord, readServerRecord, removeServerRecord, type ServerRecord } from './server-record.js';
import { findTemporal } from './temporal-binary.js';

export interface FindOrStart {
  config: Config;
  /** Told about once a second while something takes long. */
  onProgress?: OnProgress;
  /** Told what is worth keeping, such as a port other than the usual one. */
  log?: (message: string) => void;
  /** Ports of a new server, where they are free; 0 for any. @default 7233 and 8233 */
  ports?: { server: number; ui: number };
}

export interface FoundServer {
  address: string;
  namespace: string;
  /** Its web pages; unknown for a server that was not started here. */
  uiUrl?: string;
  /** Started by this call. */
  started: boolean;
  /** It runs for this data directory, whoever started it, and `stop` ends it. */
  owned: boolean;
  /** Ends an owned server; its database stays. Does nothing to others. */
  stop(): Promise<void>;
}

/**
 * Finds the Temporal server of this configuration, or starts one whose database is in the data directory. A started server goes on
 * when this process ends, until `stop` is called, here or by a later process that finds it. Any number of processes may call this at
 * the same time: there is one server for a data directory.
 *
 * @throws `Connection.Failed`, with what to do
 */
export async function findOrStartServer({
  config,
  onProgress,
  log,
  ports = { server: 7233, ui: 8233 },
}: FindOrStart): Promise<FoundServer> {
  const configured = configuredTarget(config);
  if (configured) {
    const { address, namespace } = configured;
    await withProgress(
      onProgress,
      () => `Connecting to the Temporal server at ${address}`,
      () => checkTarget(configured),
    );
    return { address, namespace, started: false, owned: false, stop: async () => {} };
  }
  await makeDirectory(config.dataDir, 'OSTINATO_DATA_DIR');
  const dataDir = await realpath(config.dataDir);
  const namespace = namespaceOf(config);
  const found = (record: ServerRecord, started: boolean): FoundServer => ({
    address: record.address,
    uiUrl: record.uiUrl,
    namespace,
    started,
    owned: true,
    stop: () => stopServer(dataDir, record),
  });
  const onWait = (seconds: number): void => onProgress?.(`Waiting for another process that starts the Temporal server (${seconds} s)`);
  return await withLock(
    lockFile(dataDir),
    async () => {
      const record = ownRecord(dataDir);
      if (record && isRunning(record)) {
        await untilReady(record, { dataDir, onProgress });
        await prepareNamespace(record.address, namespace);
        return found(record, false);
      }
      const env = config.env();
      const binary = await findTemporal({ cacheDir: config.cacheDir, env, onProgress });
      const server = await startServer({ binary, dataDir, env, ports, before: record, onProgress, log });
      await prepareNamespace(server.address, namespace);
      return found(server, true);
    },
    { onWait },
  );
}

/** Under the same lock as a start: nobody adopts a server that is about to end. */
async function stopServer(dataDir: string, record: ServerRecord): Promise<void> {
  await withLock(lockFile(dataDir), async () => {
    await endProcess(record.pid, record.database);
    if (readServerRecord(dataDir)?.pid === record.pid) removeServerRecord(dataDir);
  });
}

function lockFile(dataDir: string): string {
  return join(dataDir, 'server.lock');
}
