/** The process of a Temporal server: started so that it outlives us, and waited for. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../config.js';
import { probe } from '../connection-probe.js';
import { fail } from '../contract/failure.js';
import { searchAttributeTypes } from '../contract/names.js';
import { freePort, untilFree } from './ports.js';
import { endProcess } from './process.js';
import { withProgress, type OnProgress } from './progress.js';
import { databaseFile, writeServerRecord, type ServerRecord } from './server-record.js';

export interface StartServer {
  /** A `temporal` that works. */
  binary: string;
  dataDir: string;
  env: Environment;
  /** Where they are free. */
  ports: { server: number; ui: number };
  /** The server that ran for this data directory before. Its ports are tried first: its workers look for it there. */
  before?: ServerRecord;
  onProgress?: OnProgress;
  log?: (message: string) => void;
}

/** Settings of every server that runs are fast on. The composition's are in deploy/temporal/dynamicconfig.yaml. */
export const dynamicConfig = {
  // Without these an activity takes 100 ms instead of 8.
  'history.transferProcessorMaxPollRPS': 1000,
  'system.enableActivityEagerExecution': true,
};

/** What has just ended can be deleted after a second, and not only after half a minute. */
const forDevelopment = { 'history.transferProcessorUpdateAckInterval': '"1s"' };

const startTimeoutMs = 60_000;

/** Returns when it answers. Its output is in `server.log`. */
export async function startServer(options: StartServer): Promise<ServerRecord> {
  for (let attempt = 1; ; attempt++) {
    const { record, child } = await spawnServer(options);
    let ended: number | string | undefined;
    child.once('exit', (code, signal) => (ended = signal ?? code ?? 'unknown'));
    child.once('error', (error) => (ended = error.message));
    try {
      await untilReady(record, { ...options, hasEnded: () => ended !== undefined });
      return record;
    } catch (error) {
      await endProcess(record.pid, record.database);
      const words = await lastWords(options.dataDir);
      // Somebody took the port between our looking and the server's listening.
      if (attempt < 3 && /address already in use/.test(words)) continue;
      if (ended === undefined) throw error;
      throw fail(
        'Connection.Failed',
        `The Temporal server ended at once (${ended}): ${words} All it said is in ${logFile(options.dataDir)}.`,
      );
    }
  }
}

/**
 * Waits for a server that is starting.
 *
 * @throws `Connection.Failed` when it does not answer in time
 */
export async function untilReady(
  record: ServerRecord,
  { dataDir, onProgress, hasEnded = () => false }: { dataDir: string; onProgress?: OnProgress; hasEnded?: () => boolean },
): Promise<void> {
  const { address, pid } = record;
  const deadline = Date.now() + startTimeoutMs;
  await withProgress(
    onProgress,
    () => `Waiting for the Temporal server at ${address}`,
    async () => {
      while (!hasEnded() && Date.now() < deadline) {
        const outcome = await probe({ address }, { namespace: 'default', timeoutMs: 2000, patient: false });
        if (outcome === 'ok') return;
        await sleep(100);
      }
      throw fail(
        'Connection.Failed',
        `The Temporal server at ${address} (process ${pid}) does not answer. End that process and try again; what it said is in ${logFile(dataDir)}.`,
      );
    },
  );
}

async function spawnServer({
  binary,
  dataDir,
  env,
  ports,
  before,
  log,
}: StartServer): Promise<{ record: ServerRecord; child: ChildProcess }> {
  const [portBefore, uiPortBefore] = [portOf(before?.address), portOf(before?.uiUrl)];
  // A process that was killed a moment ago may still be giving back what it had.
  for (const old of [...portBefore, ...uiPortBefore]) await untilFree(old, 1000);
  const port = await freePort([...portBefore, ports.server]);
  const uiPort = await freePort([...uiPortBefore, ports.ui]);
  const isUsual = (found: number, usual: number, old: number[]): boolean => usual === 0 || [usual, ...old].includes(found);
  if (!isUsual(port, ports.server, portBefore)) log?.(`Port ${ports.server} is in use; the Temporal server listens on ${port}.`);
  if (!isUsual(uiPort, ports.ui, uiPortBefore)) log?.(`Port ${ports.ui} is in use; Temporal's web pages are on ${uiPort}.`);
  const database = databaseFile(dataDir);
  const output = openSync(logFile(dataDir), 'a');
  try {
    const child = spawn(binary, serverArguments({ port, uiPort, database }), {
      // A process group of its own: Ctrl-C in the terminal is for us.
      detached: true,
      stdio: ['ignore', output, output],
      cwd: dataDir,
      env: withoutSettings(env),
    });
    const record = {
      pid: child.pid ?? 0,
      address: `127.0.0.1:${port}`,
      uiUrl: `http://127.0.0.1:${uiPort}`,
      database,
      startedAt: new Date().toISOString(),
    };
    if (child.pid !== undefined) writeServerRecord(dataDir, record);
    child.unref();
    return { record, child };
  } finally {
    closeSync(output);
  }
}

function serverArguments({ port, uiPort, database }: { port: number; uiPort: number; database: string }): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
    ...['--db-filename', database, '--log-level', 'error'],
    ...Object.entries({ ...dynamicConfig, ...forDevelopment }).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
    ...Object.entries(searchAttributeTypes).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
  ];
}

/** They are for clients and workers; a server is told no keys. */
function withoutSettings(env: Environment): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(TEMPORAL|OSTINATO|OPENAI)_/.test(name)));
}

function portOf(address: string | undefined): number[] {
  const port = Number(address?.split(':').at(-1));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? [port] : [];
}

async function lastWords(dataDir: string): Promise<string> {
  const lines = (await readFile(logFile(dataDir), 'utf8').catch(() => '')).trim().split('\n');
  return lines.slice(-3).join(' ').slice(-500);
}

function logFile(dataDir: string): string {
  return join(dataDir, 'server.log');
}
