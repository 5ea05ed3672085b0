/** The chain of migrations, oldest first. */
import { from1to2 } from './1-to-2.js';
import { from2to3 } from './2-to-3.js';
import type { Migration } from './migration.js';

export type { Migration } from './migration.js';

export const migrations: readonly Migration[] = [from1to2, from2to3];
