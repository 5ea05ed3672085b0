import { setImmediate as nextRound, setTimeout as sleep } from 'node:timers/promises';
import Driver from 'libsql';
import { fail } from '../../contract/failure.js';
import { isBusy, toFailure } from './failures.js';
import { prepareFile, schemaSteps } from './schema.js';

/** What may be bound to a statement. Nothing else: given a boolean, the driver ends the process. */
export type SqlValue = string | number | Buffer;

export interface Statement<Row> {
  get(...values: SqlValue[]): Row | undefined;
  all(...values: SqlValue[]): Row[];
  /** Returns the number of rows changed. */
  run(...values: SqlValue[]): number;
}

export interface DatabaseOptions {
  /** How long to try while other processes hold the file. @default 10000 */
  patienceMs?: number;
  /** The steps to today's schema. @default those of this release */
  steps?: readonly string[];
}

/** A busy file is tried again after a pause. The longest is short, because a lock that many want is free only for moments. */
const longestPauseMs = 10;
/** A transaction takes no further writes after so long: others want the lock, and this process has more to do. */
const transactionMs = 8;

/** Opens a file and brings its schema up to date. */
export async function openDatabase(path: string, { patienceMs = 10_000, steps = schemaSteps }: DatabaseOptions = {}): Promise<Database> {
  let driver: Driver.Database;
  try {
    // The driver is synchronous and would block the event loop while it waits for a lock: so it never does.
    driver = new Driver(path, { timeout: 0 });
  } catch (error) {
    throw toFailure(error, path);
  }
  const database = new Database(driver, path, patienceMs);
  try {
    await database.read(() => prepareFile(driver, path, steps));
  } catch (error) {
    driver.close();
    throw error;
  }
  return database;
}

interface Write {
  work: () => unknown;
  durable: boolean;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** One connection to one file. */
export class Database {
  readonly #driver: Driver.Database;
  readonly #path: string;
  readonly #patienceMs: number;
  #writes: Write[] = [];
  #writing: Promise<void> | undefined;
  #dataVersion: number | undefined;
  #closing: Promise<void> | undefined;

  constructor(driver: Driver.Database, path: string, patienceMs: number) {
    this.#driver = driver;
    this.#path = path;
    this.#patienceMs = patienceMs;
  }

  prepare<Row>(sql: string): Statement<Row> {
    const statement = this.#driver.prepare(sql);
    // Always as one array: a single buffer would be taken for named parameters.
    return {
      get: (...values) => statement.get(values) as Row | undefined,
      all: (...values) => statement.all(values) as Row[],
      run: (...values) => statement.run(values).changes,
    };
  }

  /** `work` is run again when the file was busy. */
  async read<T>(work: () => T): Promise<T> {
    this.#refuseClosed();
    try {
      return await this.#patiently(work);
    } catch (error) {
      throw toFailure(error, this.#path);
    }
  }

  /**
   * Runs `work` in one transaction with the other writes of the moment; it may be run again, and counts once. What was
   * written survives the end of this process at any moment; when `durable`, it is on the disk and survives a power cut.
   */
  async write<T>(work: () => T, { durable = false } = {}): Promise<T> {
    this.#refuseClosed();
    return new Promise<T>((resolve, reject) => {
      this.#writes.push({ work, durable, resolve: resolve as (result: unknown) => void, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  /** Has another connection, here or in another process, written since this was last asked? */
  changedElsewhere(): boolean {
    const before = this.#dataVersion;
    [{ data_version: this.#dataVersion }] = this.#driver.pragma('data_version') as [{ data_version: number }];
    return this.#dataVersion !== before;
  }

  /** What was deleted is overwritten in the file; here the log that may still have it is emptied. */
  async checkpoint(): Promise<void> {
    await this.read(() => {
      const [{ busy }] = this.#driver.pragma('wal_checkpoint(TRUNCATE)') as [{ busy: number }];
      if (busy !== 0) throw Object.assign(new Error('Others read or write.'), { code: 'SQLITE_BUSY' });
    });
  }

  /** Finishes what was begun. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#writing;
    try {
      // The log goes into the file, so that a copy of the file is a copy of the store.
      this.#driver.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      // It is as safe where it is: another process at work, or the next to open the file, does this later.
    }
    this.#driver.close();
  }

  async #writeAll(): Promise<void> {
    let most = Infinity;
    while (this.#writes.length > 0) {
      // Whoever writes in this round of the event loop joins, and between two transactions everything else has its turn.
      await nextRound();
      try {
        const { results, heldMs } = await this.#patiently(() => this.#transact(this.#writes.slice(0, most)));
        for (const result of results) this.#writes.shift()?.resolve(result);
        most = Infinity;
        // The lock has no queue: on a slow disk a busy process would keep it for seconds, did it not leave gaps.
        if (heldMs > 2) await sleep(1 + heldMs / 10);
      } catch (error) {
        const failure = toFailure(error, this.#path);
        if (isBusy(error)) for (const write of this.#writes.splice(0)) write.reject(failure);
        else if (most === 1) this.#writes.shift()?.reject(failure);
        // One of several failed and took the others with it: now one by one, to see which.
        else most = 1;
      }
    }
    this.#writing = undefined;
  }

  /** Returns the results of the writes that it took, from the first on. */
  #transact(writes: readonly Write[]): { results: unknown[]; heldMs: number } {
    const results: unknown[] = [];
    this.#driver.exec(`PRAGMA synchronous = ${writes.some((write) => write.durable) ? 'FULL' : 'NORMAL'}`);
    this.#driver.exec('BEGIN IMMEDIATE');
    try {
      const began = performance.now();
      for (const write of writes) {
        results.push(write.work());
        if (performance.now() - began > transactionMs) break;
      }
      this.#driver.exec('COMMIT');
      return { results, heldMs: performance.now() - began };
    } catch (error) {
      if (this.#driver.inTransaction) this.#driver.exec('ROLLBACK');
      throw error;
    }
  }

  /** Tries again, without blocking, while others hold the file. */
  async #patiently<T>(work: () => T): Promise<T> {
    const until = performance.now() + this.#patienceMs;
    for (let pauseMs = 2; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || performance.now() > until) throw error;
      }
      await sleep(pauseMs * (0.5 + Math.random() / 2));
    }
  }

  #refuseClosed(): void {
    if (this.#closing) throw fail('Store.Unavailable', `The store "${this.#path}" was closed here. Open it again.`);
  }
}
