/** Which steps are done: what the checkpoint says. */
import type { StepMessage } from '../../contract/step.js';
import type { AnyRun } from './run.js';

const remembered = 100;

export function beginStep(run: AnyRun, id: string): string {
  run.state.steps.current = id;
  return id;
}

export function recordStep(run: AnyRun, id: string, { attempt = 1, blob }: Pick<StepMessage, 'attempt' | 'blob'>): void {
  const { steps } = run.state;
  steps.completed.push(id);
  steps.count += 1;
  steps.retries += attempt - 1;
  if (blob) steps.outputs[id] = { artifactId: blob };
  if (steps.completed.length > remembered) delete steps.outputs[steps.completed.shift() as string];
}
