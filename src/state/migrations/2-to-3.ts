import type { Migration } from './migration.js';

/** Version 3 may be of a run that sleeps: most of it is in the store, and whoever does not know that must not go on with the rest. */
export const from2to3: Migration = { from: 2, up: (state) => ({ ...state, stateVersion: 3 }) };
