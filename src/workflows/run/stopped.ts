/** Thrown where nothing more may start: the run ends with the outcome in `state.stop`. */
export class RunStopped extends Error {
  override readonly name = 'RunStopped';
}
