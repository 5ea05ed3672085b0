import type { Migration } from './migration.js';

/** Version 2 remembers requests to people, nested runs and termination conditions: a run of version 1 has none of them. */
export const from1to2: Migration = {
  from: 1,
  up: (state) => ({ ...state, stateVersion: 2, judged: 0, requests: [], operations: [], post: [] }),
};
