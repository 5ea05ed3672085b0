/** Signals to other runs. Handlers only put them here; whoever waits sends them. */
import { CancellationScope, getExternalWorkflowHandle } from '@temporalio/workflow';
import type { Json, JsonObject } from '../../contract/json.js';
import { messages, nestedSignal } from '../../contract/names.js';
import type { Usage } from '../../contract/transcript.js';
import type { Letter } from '../../state/nested-state.js';
import type { AnyRun } from './run.js';

export function post(run: AnyRun, to: string, signal: string, payload: Json): void {
  run.state.post.push({ to, signal, payload });
}

/** To the run whose member this one is. Of what was not sent yet, the newer word counts. */
export function reportUp(run: AnyRun, report: { requests?: Json } | { ended: true; usage: Usage }): void {
  const { nested } = run.state;
  if (!nested) return;
  const isReport = ({ to, signal }: Letter) => to === nested.parent && signal === nestedSignal;
  const unsent = run.state.post.find(isReport)?.payload as JsonObject | undefined;
  run.state.post = run.state.post.filter((letter) => !isReport(letter));
  post(run, nested.parent, nestedSignal, { operationId: nested.operationId, ...unsent, ...(report as JsonObject) });
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
  if (to === run.state.nested?.parent) orphan(run);
  else if (signal === messages.respond) {
    run.outbox.emit('input.refused', { handler: signal, reason: `"${to}" has ended before the answer reached it.` });
  }
}

/** Nobody waits for this run any more: the turn in flight ends, and nothing starts after it. */
export function orphan(run: AnyRun): void {
  run.stop('cancelled', 'cancelled', 'The run that this one is a part of has ended.');
}
