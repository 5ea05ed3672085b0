/** Which steps are done: what the checkpoint says. */
import type { StepMessage } from '../../contract/step.js';
import type { AnyRun } from './run.js';

const remembered = 100;

/** Returns the step's id. */
export function beginStep(run: AnyRun, place: string): string {
  const id = inBranch(place, run.state.branch);
  run.state.steps.current = id;
  return id;
}

/** After a run was put back, the same place is another step: what was done before is not taken for it. */
export function inBranch(place: string, branch = 0): string {
  return branch === 0 ? place : `b${branch}:${place}`;
}

export function recordStep(run: AnyRun, id: string, { attempt = 1, blob }: Pick<StepMessage, 'attempt' | 'blob'>): void {
  const { steps } = run.state;
  steps.completed.push(id);
  steps.count += 1;
  steps.retries += attempt - 1;
  if (blob) steps.outputs[id] = { artifactId: blob };
  if (steps.completed.length > remembered) delete steps.outputs[steps.completed.shift() as string];
}
