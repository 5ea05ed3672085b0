/** What a run is asked and told, under its workflow id. For one that Temporal does not know any more, the store answers. */
import { fail, failureOf } from '../contract/failure.js';
import { call } from './call.js';
import type { ClientContext } from './context.js';
import { firstRunOf } from './describe.js';
import { storedRun, type StoredRun } from './stored-run.js';

export class WorkflowCalls {
  #firstRunId: string | undefined;

  constructor(
    private readonly context: ClientContext,
    readonly workflowId: string,
    firstRunId?: string,
  ) {
    this.#firstRunId = firstRunId;
  }

  /** The first execution's run id: with the workflow id, the key of the event log. */
  async firstRunId(): Promise<string> {
    return (this.#firstRunId ??= await firstRunOf(this.context, this.workflowId).catch(
      async (error: unknown) => (await this.#stored(error)).firstRunId,
    ));
  }

  /** How far its log is; 0 when nobody can tell. */
  async logEnd(): Promise<{ firstRunId?: string; seq: number }> {
    try {
      const firstRunId = await this.firstRunId();
      return { firstRunId, seq: await this.context.store.events.end({ workflowId: this.workflowId, firstRunId }) };
    } catch {
      return { seq: 0 };
    }
  }

  /** Another run may have taken the id. */
  forgetFirstRun(): void {
    this.#firstRunId = undefined;
  }

  async query<T>(name: string, argument?: unknown): Promise<T> {
    await this.firstRunId();
    const handle = this.context.temporal.workflow.getHandle(this.workflowId);
    const ask = () => (argument === undefined ? handle.query<T>(name) : handle.query<T, [unknown]>(name, argument));
    return await call(this.context, ask).catch(async (error: unknown) => (await this.#stored(error)).answer(name, argument) as T);
  }

  /** @throws what Temporal said, when the run has left nothing either */
  async #stored(error: unknown): Promise<StoredRun> {
    const stored = failureOf(error).type === 'Run.NotFound' ? await storedRun(this.context, this.workflowId, this.#firstRunId) : undefined;
    if (!stored) throw error;
    return stored;
  }

  /** @throws `Run.Closed` when the run has ended */
  async update<T>(name: string, argument: unknown, updateId?: string): Promise<T> {
    await this.firstRunId();
    const handle = this.context.temporal.workflow.getHandle(this.workflowId);
    const options = { args: [argument] as [unknown], ...(updateId && { updateId }) };
    try {
      return await call(this.context, () => handle.executeUpdate<T, [unknown]>(name, options));
    } catch (error) {
      if (failureOf(error).type !== 'Run.NotFound') throw error;
      throw fail('Run.Closed', `The run "${this.workflowId}" has ended. Start another one.`, { cause: error });
    }
  }
}
