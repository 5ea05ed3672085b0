import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Pool } from 'pg';
import type { ClientBase, ClientConfig, QueryResultRow } from 'pg';
import { fail } from '../../contract/failure.js';
import { readAddress } from './address.js';
import type { Address } from './address.js';
import { isPassing, toFailure } from './failures.js';

export type SqlValue = string | number | Buffer | string[] | Buffer[];

/** Runs one statement and returns its rows. */
export type Query = <Row extends QueryResultRow>(sql: string, values?: SqlValue[]) => Promise<Row[]>;

export interface DatabaseOptions {
  /** How long what passes is tried again. @default 5000 */
  patienceMs?: number;
}

const connections = 10;
const longestPauseMs = 500;
/** Longer than the largest text takes over a slow line; shorter than anybody would watch a run stand still. */
const statementMs = 30_000;

/** A small pool of connections to one database. */
export class Database {
  readonly address: Address;
  readonly #pool: Pool;
  readonly #patienceMs: number;
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(url: string, { patienceMs = 5000 }: DatabaseOptions = {}) {
    this.address = readAddress(url);
    this.#patienceMs = patienceMs;
    this.#pool = new Pool({
      ...this.#config(),
      max: connections,
      idleTimeoutMillis: 30_000,
      // An open store keeps no process alive.
      allowExitOnIdle: true,
      // Waited for, though its type does not say so.
      onConnect: prepareConnection as (client: ClientBase) => void,
    });
    // A connection that is lost while nobody uses it is replaced by the next that is needed.
    this.#pool.on('error', () => undefined);
  }

  /**
   * One statement, one transaction. It may be run more than once: a connection can be lost after the server has committed,
   * so every statement has to change nothing the second time.
   */
  async query<Row extends QueryResultRow>(sql: string, values: SqlValue[] = [], patienceMs = this.#patienceMs): Promise<Row[]> {
    return this.#run(async () => (await this.#pool.query<Row>(sql, values)).rows, patienceMs);
  }

  /** Several statements, all or nothing. May be run more than once, as `query`. */
  async transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
    return this.#run(() => this.#transact(work));
  }

  /** A connection beside the pool, not yet open. */
  newClient(): Client {
    return new Client(this.#config());
  }

  /** Finishes what was begun. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#running]);
    await this.#pool.end();
  }

  async #run<T>(work: () => Promise<T>, patienceMs = this.#patienceMs): Promise<T> {
    if (this.#closing) throw fail('Store.Unavailable', `The store "${this.address.name}" was closed here. Open it again.`);
    const running = patiently(work, patienceMs);
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      throw toFailure(error, this.address);
    } finally {
      this.#running.delete(running);
    }
  }

  async #transact<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    // Whoever waits for a statement hears of a lost connection there; between two statements nobody does.
    const ignore = (): void => undefined;
    client.on('error', ignore);
    let failure: Error | undefined;
    try {
      await client.query('BEGIN');
      const result = await work(async (sql, values) => (await client.query(sql, values)).rows as never[]);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((lost: Error) => (failure = lost));
      throw error;
    } finally {
      client.off('error', ignore);
      client.release(failure);
    }
  }

  #config(): ClientConfig {
    return {
      application_name: 'ostinato',
      connectionString: this.address.connectionString,
      connectionTimeoutMillis: 5000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      query_timeout: statementMs + 5000,
    };
  }
}

/** Tries again what passes. */
async function patiently<T>(work: () => Promise<T>, patienceMs: number): Promise<T> {
  let until: number | undefined;
  for (let pauseMs = 20; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await work();
    } catch (error) {
      until ??= performance.now() + patienceMs;
      if (!isPassing(error) || performance.now() + pauseMs > until) throw error;
    }
    await sleep(pauseMs * (0.5 + Math.random() / 2));
  }
}

/**
 * What we rely on, whatever this database or user has been given as defaults. Acknowledged means on the disk; who demands more of
 * it (`remote_apply`) keeps that. Set by a statement, because poolers refuse it as a parameter of the connection.
 */
async function prepareConnection(client: ClientBase): Promise<void> {
  await client.query(`
    SELECT set_config('statement_timeout', '${statementMs}', false),
      set_config('idle_in_transaction_session_timeout', '${statementMs}', false),
      set_config('default_transaction_isolation', 'read committed', false),
      set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)`);
}
