import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Database } from './database.js';
import { keyOf } from './names.js';

const channel = 'ostinato';
const longestPauseMs = 2000;
/** PostgreSQL takes payloads below 8000 bytes; a name has 17. */
const namesPerMessage = 400;
/** Words come faster than anybody reads them: what is said within so long after a message waits for the next. */
const messageMs = 10;

/** What to do with what is heard. */
export interface Ears {
  /** Something of this name, see `nameOf`, was changed by another process. */
  hear(name: string): void;
  /** From now on nothing is missed; what was said before may have been. */
  listening(): void;
}

/**
 * Tells other processes what was changed, over LISTEN and NOTIFY. A courtesy: what is lost on the way, readers find by polling.
 *
 * A message is sent after the commit that it tells of, by itself, not within: transactions that notify commit one after another
 * in the whole cluster, each waiting for the disk.
 */
export class Messenger {
  readonly #database: Database;
  readonly #ears: Ears;
  readonly #me = randomUUID().slice(0, 8);
  readonly #names = new Set<string>();
  #telling: Promise<void> | undefined;
  #client: Client | undefined;
  #retry: NodeJS.Timeout | undefined;
  #pauseMs = 50;
  #isListening = false;
  #isClosed = false;

  constructor(database: Database, ears: Ears) {
    this.#database = database;
    this.#ears = ears;
  }

  get isListening(): boolean {
    return this.#isListening;
  }

  /** Begins to listen, unless it does already. The connection is made again for as long as it takes. */
  listen(): void {
    if (!this.#client && !this.#retry && !this.#isClosed) void this.#connect();
  }

  /** Without waiting: names of one moment share a message. */
  tell(name: string): void {
    this.#names.add(name);
    this.#telling ??= this.#tellAll().finally(() => (this.#telling = undefined));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    // What is waited for here does not keep the process alive by itself: it would end in the middle of this.
    const alive = setInterval(() => undefined, longestPauseMs);
    await this.#telling;
    await this.#client?.end().catch(() => undefined);
    clearInterval(alive);
  }

  async #tellAll(): Promise<void> {
    while (this.#names.size > 0) {
      const names = [...this.#names].slice(0, namesPerMessage);
      for (const name of names) this.#names.delete(name);
      // Nobody needs it on the disk, nor later.
      await this.#database
        .query(`SELECT set_config('synchronous_commit', 'off', true), pg_notify('${channel}', $1)`, [[this.#me, ...names].join(' ')], 0)
        .catch(() => undefined);
      await sleep(messageMs, undefined, { ref: false });
    }
  }

  async #connect(): Promise<void> {
    const client = this.#database.newClient();
    this.#client = client;
    // Both are heard for one lost connection.
    client.on('error', () => this.#lost(client)).on('end', () => this.#lost(client));
    client.on('notification', ({ payload = '' }) => {
      const [sender, ...names] = payload.split(' ');
      if (sender !== this.#me) for (const name of names) this.#ears.hear(name);
    });
    try {
      await client.connect();
      // Whoever waits for a message keeps the process alive.
      (client as Client & { unref(): void }).unref();
      await client.query(`LISTEN ${channel}`);
    } catch {
      this.#lost(client);
      return;
    }
    if (this.#client !== client || this.#isClosed) return;
    this.#isListening = true;
    this.#pauseMs = 50;
    this.#ears.listening();
  }

  #lost(client: Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#isListening = false;
    void client.end().catch(() => undefined);
    if (this.#isClosed) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.listen();
    }, this.#pauseMs);
    this.#retry.unref();
    this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
  }
}

/** What a key is called in a message. */
export function nameOf(environment: number, key: string): string {
  return keyOf(String(environment), key).subarray(0, 12).toString('base64url');
}
