/** What a run is asked and told, under its workflow id. */
import { fail, failureOf } from '../contract/failure.js';
import { call } from './call.js';
import type { ClientContext } from './context.js';
import { firstRunOf } from './describe.js';

export class WorkflowCalls {
  #firstRunId: string | undefined;

  constructor(
    private readonly context: ClientContext,
    private readonly workflowId: string,
    firstRunId?: string,
  ) {
    this.#firstRunId = firstRunId;
  }

  /** The first execution's run id: with the workflow id, the key of the event log. */
  async firstRunId(): Promise<string> {
    return (this.#firstRunId ??= await firstRunOf(this.context, this.workflowId));
  }

  /** Another run may have taken the id. */
  forgetFirstRun(): void {
    this.#firstRunId = undefined;
  }

  async query<T>(name: string, argument?: unknown): Promise<T> {
    await this.firstRunId();
    const handle = this.context.temporal.workflow.getHandle(this.workflowId);
    return await call(this.context, () => (argument === undefined ? handle.query<T>(name) : handle.query<T, [unknown]>(name, argument)));
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
