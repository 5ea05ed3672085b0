import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { StoreOptions } from '../../src/store/open-store.js';
import type { Order, Report } from './fixtures/store-process.js';

const script = fileURLToPath(new URL('./fixtures/store-process.ts', import.meta.url));

/** The same store, opened by another process. */
export class ChildStore {
  readonly reports: Report[] = [];
  readonly #process: ChildProcess;

  private constructor(options: StoreOptions) {
    const { encryptionKeys = [], ...rest } = options;
    const keys = encryptionKeys.map(({ id, secret }) => `${id}:${secret.export().toString('base64')}`);
    this.#process = fork(script, [JSON.stringify(rest), keys.join()], { execArgv: ['--import', 'tsx'] });
    this.#process.on('message', (report: Report) => this.reports.push(report));
  }

  static async open(options: StoreOptions): Promise<ChildStore> {
    const child = new ChildStore(options);
    await child.hears('open');
    return child;
  }

  /** Resolves when the order is carried out. */
  async tell(order: Order): Promise<void> {
    const done = this.hears('done');
    this.start(order);
    await done;
  }

  start(order: Order): void {
    this.#process.send(order);
  }

  /** The next report of this kind. */
  async hears(kind: Report['is']): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const onMessage = (report: Report): void => {
        if (report.is === kind) settle(resolve);
      };
      const onExit = (code: number | null): void => settle(() => reject(new Error(`The process ended (${code}) before "${kind}".`)));
      const settle = (then: () => void): void => {
        this.#process.off('message', onMessage).off('exit', onExit);
        then();
      };
      this.#process.on('message', onMessage).on('exit', onExit);
    });
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exit;
  }
}
