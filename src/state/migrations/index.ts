/** The chain of migrations: one frozen, self-contained step per version, oldest first. Never edit a released step. */
export interface Migration {
  from: number;
  up(state: Record<string, unknown>): Record<string, unknown>;
}

export const migrations: readonly Migration[] = [];
