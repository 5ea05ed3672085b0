/** A conversation with one agent that stays open. Saying something opens it when it is not. */
import type { WithStartWorkflowOperation, Workflow } from '@temporalio/client';
import { failureOf } from '../contract/failure.js';
import type { MessageInput } from '../contract/message.js';
import type { ClientContext } from './context.js';
import { assertOurs, describe } from './describe.js';
import { RunHandle } from './run-handle.js';
import { sayWithStart } from './say-with-start.js';

export class SessionHandle extends RunHandle {
  /** Of the execution that took the last message. */
  #runId: string | undefined;

  constructor(
    context: ClientContext,
    id: string,
    private readonly open: () => WithStartWorkflowOperation<Workflow>,
  ) {
    super(context, id);
  }

  /** One round trip: the session is opened if need be, and the message accepted. */
  protected override async deliver(input: { message: MessageInput; id: string }): Promise<{ turnId: string }> {
    if (this.#runId === undefined) await this.#checkEnvironment();
    const { turnId, runId } = await sayWithStart(this.context, this.open, input);
    // It may have been closed and opened again since the last message: then its log is another one.
    if (runId !== this.#runId) this.calls.forgetFirstRun();
    this.#runId = runId;
    return { turnId };
  }

  /** The same id in the same namespace may belong to a worker on another task queue; once that run has ended, the id is free. */
  async #checkEnvironment(): Promise<void> {
    try {
      const found = await describe(this.context, this.id);
      if (found.status.name === 'RUNNING') assertOurs(this.context, found);
    } catch (error) {
      if (failureOf(error).type !== 'Run.NotFound') throw error;
    }
  }
}
