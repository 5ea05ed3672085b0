/** One frozen, self-contained step from a version to the next. Never edit a released one. */
export interface Migration {
  from: number;
  up(state: Record<string, unknown>): Record<string, unknown>;
}
