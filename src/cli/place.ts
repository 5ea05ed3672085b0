/** Where a command's runs are: a connection to Temporal, and our client on it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { connect, type OstinatoClient } from '../client.js';
import type { Config } from '../config.js';
import { connectClient, resolveTarget, temporalUiUrl, type Connected, type Target } from '../connection.js';
import { fail } from '../contract/failure.js';
import { clientDataConverter } from '../encryption/data-converter.js';
import type { Context } from './context.js';
import { duration } from './render/words.js';
import { hasWorker } from './workers.js';

export class Place {
  constructor(
    readonly client: OstinatoClient,
    readonly temporal: Client,
    readonly taskQueue: string,
    private readonly connected: Pick<Connected<unknown>, 'address' | 'source' | 'uiUrl'>,
  ) {}

  get address(): string {
    return this.connected.address;
  }

  get namespace(): string {
    return this.temporal.options.namespace;
  }

  /** Its server runs for this data directory. */
  get isLocal(): boolean {
    return this.connected.source === 'record';
  }

  /** The page of a run, or of all of them, where the web pages are known. */
  uiUrl(runId?: string): string | undefined {
    const { uiUrl } = this.connected;
    return uiUrl && temporalUiUrl(uiUrl, this.namespace, runId);
  }

  /** The task queue of a run, and whether it is open; `undefined` when there is no such run. */
  async find(runId: string): Promise<{ taskQueue: string; isOpen: boolean } | undefined> {
    try {
      const { taskQueue, status } = await this.temporal.workflow.getHandle(runId).describe();
      return { taskQueue, isOpen: status.name === 'RUNNING' || status.name === 'PAUSED' };
    } catch (error) {
      if ((error as Error).name === 'WorkflowNotFoundError') return undefined;
      throw error;
    }
  }

  /** Does a worker poll this task queue? `undefined` when the server does not say. */
  async hasWorker(taskQueue: string = this.taskQueue): Promise<boolean | undefined> {
    return await hasWorker(this.temporal.connection, { namespace: this.namespace, taskQueue });
  }
}

/** What listens on the usual port is somebody else's, when this directory has a database of its own and nobody has named a server. */
export function isElsewhere({ dataDir }: Config, { source }: Pick<Target, 'source'>): boolean {
  return source === 'default' && existsSync(join(dataDir, 'temporal.db'));
}

/** @throws `Connection.Failed` */
export async function openPlace(context: Context): Promise<Place> {
  const { config, defer, terminal, signal } = context;
  if (isElsewhere(config, await resolveTarget(config))) {
    throw fail(
      'Connection.Failed',
      `The Temporal server of this project, with its data in ${config.dataDir}, is not running. Start it with:  ${context.next('dev')}\nAnother server is used when it is named, by --address or TEMPORAL_ADDRESS.`,
    );
  }
  const since = Date.now();
  const pulse = setInterval(() => terminal.hint(`Looking for the Temporal server (${duration(Date.now() - since)})`), 1000);
  const connected = await connectClient(config).finally(() => clearInterval(pulse));
  terminal.clear();
  const { connection, namespace } = connected;
  defer(async () => {
    // A call that an interrupted command leaves behind may try again: on a closed channel that throws where nobody can catch it.
    if (!signal.aborted) await connection.close();
  });
  const temporal = new Client({ connection, namespace, dataConverter: clientDataConverter(config.encryptionKeys()) });
  const client = await connect({ config, temporal });
  defer(() => client.close());
  return new Place(client, temporal, config.taskQueue, connected);
}
