/** Signals to other runs. Handlers only put them here; whoever waits sends them. */
import { CancellationScope, getExternalWorkflowHandle } from '@temporalio/workflow';
import type { Json } from '../../contract/json.js';
import { messages, nestedSignal } from '../../contract/names.js';
import type { Letter } from '../../state/run-state.js';
import type { AnyRun } from './run.js';

export function post(run: AnyRun, to: string, signal: string, payload: Json): void {
  run.state.post.push({ to, signal, payload });
}

/** To the run whose member this one is. What was not sent yet is out of date. */
export function reportUp(run: AnyRun, report: { requests?: Json; ended?: true }): void {
  const { nested } = run.state;
  if (!nested) return;
  const isReport = ({ to, signal }: Letter) => to === nested.parent && signal === nestedSignal;
  run.state.post = run.state.post.filter((letter) => !isReport(letter));
  post(run, nested.parent, nestedSignal, { operationId: nested.operationId, ...report });
}

export async function sendPost(run: AnyRun): Promise<void> {
  for (let letter = run.state.post.shift(); letter; letter = run.state.post.shift()) {
    const { to, signal, payload } = letter;
    try {
      await CancellationScope.nonCancellable(() => getExternalWorkflowHandle(to).signal(signal, payload));
    } catch {
      undeliverable(run, letter);
    }
  }
}

/** The other run has ended. */
function undeliverable(run: AnyRun, { to, signal }: Letter): void {
  if (to === run.state.nested?.parent) {
    run.stop('cancelled', 'cancelled', 'The run that this one is a part of has ended.');
  } else if (signal === messages.respond) {
    run.outbox.emit('input.refused', { handler: signal, reason: `"${to}" has ended before the answer reached it.` });
  }
}
