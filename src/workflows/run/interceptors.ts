/**
 * What is done before the SDK looks at what a run is told. Renames what nobody may register: Temporal keeps names that begin with
 * `__temporal_` for itself, and with a default handler a signal of such a name throws before any handler is asked. That fails the
 * workflow task, which is retried forever. What cannot be opened is looked at in `unread.ts`.
 * Bundled into the sandbox by path.
 */
import type { WorkflowInterceptors } from '@temporalio/workflow';
import { unreadJobs } from './unread.js';

const reserved = '__temporal_';

export function interceptors(): WorkflowInterceptors {
  const hear = unreadJobs();
  return {
    internals: [
      {
        activate(input, next) {
          for (const { signalWorkflow: signal } of input.activation.jobs ?? []) {
            if (signal?.signalName?.startsWith(reserved)) signal.signalName = `(reserved) ${signal.signalName}`;
          }
          hear(input.activation.jobs ?? []);
          next(input);
        },
      },
    ],
  };
}
