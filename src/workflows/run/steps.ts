/** Which steps are done: what the checkpoint says. */
import type { StepMessage } from '../../contract/step.js';
import type { AnyRun } from './run.js';

const remembered = 100;

export function beginStep(run: AnyRun, id: string): string {
  run.state.steps.current = id;
  return id;
}

export function completeStep(run: AnyRun, id: string, output: StepMessage): void {
  const { steps } = run.state;
  steps.completed.push(id);
  steps.count += 1;
  steps.retries += (output.attempt ?? 1) - 1;
  if (output.blob) steps.outputs[id] = { artifactId: output.blob };
  if (steps.completed.length > remembered) delete steps.outputs[steps.completed.shift() as string];
}
