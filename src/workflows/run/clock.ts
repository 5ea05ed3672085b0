/** The run's own time, in milliseconds: the same whenever it is replayed. */
export function now(): number {
  return new Date().getTime();
}
