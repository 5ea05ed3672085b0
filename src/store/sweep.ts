import type { Swept } from './store.js';

/** One blob as it is found. */
export interface Found {
  id: string;
  /** `due`: doomed for long enough. */
  fate: 'alive' | 'doomed' | 'due';
}

/** What an engine does with a page of blobs. Each step is safe to repeat, and beside others who read, write or collect. */
export interface Sweep {
  /** The next ids in order. */
  page(after: string): Promise<Found[]>;
  /** From now on, unless it is doomed already. */
  doom(ids: string[]): Promise<unknown>;
  /** They are referenced again. */
  spare(ids: string[]): Promise<unknown>;
  /** Deletes those that are still doomed, and have been for long enough: one that was put meanwhile is not. */
  delete(ids: string[]): Promise<{ deleted: number; bytes: number }>;
}

/** How many ids are looked at together: all that is held in memory. */
export const sweptAtOnce = 500;

/** Through all blobs of an environment, once. */
export async function sweep({ page, ...engine }: Sweep, isReferenced: (id: string) => boolean): Promise<Swept> {
  const swept: Swept = { kept: 0, doomed: 0, deleted: 0, bytes: 0 };
  for (let found = await page(''); found.length > 0; found = await page(found.at(-1)!.id)) {
    const spared: string[] = [];
    const doomed: string[] = [];
    const due: string[] = [];
    for (const { id, fate } of found) {
      const isKept = isReferenced(id);
      if (isKept) swept.kept += 1;
      else if (fate === 'doomed') swept.doomed += 1;
      if (isKept && fate !== 'alive') spared.push(id);
      if (!isKept && fate === 'alive') doomed.push(id);
      if (!isKept && fate === 'due') due.push(id);
    }
    if (spared.length > 0) await engine.spare(spared);
    if (doomed.length > 0) await engine.doom(doomed);
    swept.doomed += doomed.length;
    if (due.length === 0) continue;
    const { deleted, bytes } = await engine.delete(due);
    swept.deleted += deleted;
    swept.bytes += bytes;
  }
  return swept;
}
