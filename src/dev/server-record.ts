/** `server.json` in the data directory: which Temporal server was started for it. */
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isProcess } from './process.js';

export interface ServerRecord {
  pid: number;
  /** host:port of gRPC. */
  address: string;
  uiUrl: string;
  /** Its SQLite file. It is in the command line of the process, which tells our server from another process with the same id. */
  database: string;
  /** RFC 3339. */
  startedAt: string;
}

/** `undefined` when there is none, or it cannot be read: then it is replaced. */
export function readServerRecord(dataDir: string): ServerRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(recordFile(dataDir), 'utf8')) as Partial<ServerRecord>;
    const texts = [record.address, record.uiUrl, record.database, record.startedAt];
    return Number.isSafeInteger(record.pid) && texts.every((text) => typeof text === 'string') ? (record as ServerRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Synchronous: nothing may come between starting a process and writing down which one it is. */
export function writeServerRecord(dataDir: string, record: ServerRecord): void {
  writeFileSync(recordFile(dataDir), `${JSON.stringify(record, undefined, 2)}\n`);
}

export function removeServerRecord(dataDir: string): void {
  rmSync(recordFile(dataDir), { force: true });
}

/** The record of a server with this directory's database; not that of a directory which this one is a copy of. */
export function ownRecord(dataDir: string): ServerRecord | undefined {
  const record = readServerRecord(dataDir);
  return record?.database === databaseFile(dataDir) ? record : undefined;
}

export function isRunning({ pid, database }: ServerRecord): boolean {
  return isProcess(pid, database);
}

/** Absolute, without symbolic links: the same however the directory is called. */
export function databaseFile(dataDir: string): string {
  return join(existsSync(dataDir) ? realpathSync(dataDir) : dataDir, 'temporal.db');
}

export function recordFile(dataDir: string): string {
  return join(dataDir, 'server.json');
}
