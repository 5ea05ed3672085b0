import { ApplicationFailure } from '@temporalio/common';
import type { Problem } from '../../src/contract/problems.js';

export interface Refusal {
  type: string;
  message: string;
  problems: Problem[];
}

/** How something is refused; `undefined` when it is not. What is no typed failure of ours is thrown on. */
export function refusalOf(action: () => unknown): Refusal | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (!(error instanceof ApplicationFailure) || !error.type?.includes('.')) throw error;
    return { type: error.type, message: error.message, problems: error.details?.[0] as Problem[] };
  }
}

/** `data.conversationHistory: must be …`, one line for each problem. */
export function problemsOf(action: () => unknown): string[] {
  return (refusalOf(action)?.problems ?? []).map(({ path, message }) => `${path}: ${message}`);
}
