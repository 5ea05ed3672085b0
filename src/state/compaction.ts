/** What stands for the older part of what each agent has heard. */
import type { CompactionRef } from '../contract/compaction.js';
import type { Shape } from './shape.js';

export interface Compactions {
  [agent: string]: CompactionRef;
}

export const compactionsShape: Shape = {
  map: { fields: { upTo: 'count', blob: 'string', turn: 'count', start: 'count', from: { optional: 'count' } } },
};

/** What the shape cannot say. */
export function problemsOfCompactions(compactions: Compactions, length: number): string[] {
  return Object.entries(compactions).flatMap(([agent, { upTo }]) =>
    upTo <= length ? [] : [`compactions.${agent}.upTo: outside the transcript`],
  );
}
