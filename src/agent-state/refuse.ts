import type { ApplicationFailure } from '@temporalio/common';
import type { FailureType } from '../contract/failure.js';
import { problemsFailure, type Problem } from '../contract/problems.js';

/** The one failure of everything here: the document stays as it is, whatever is wrong with it. */
export function refusal(problems: readonly Problem[], type: FailureType = 'State.Unreadable'): ApplicationFailure {
  return problemsFailure('The state document', problems, type);
}

export function tooLarge(what: string): ApplicationFailure {
  return refusal([{ path: '', message: `is too large: ${what}` }], 'Input.TooLarge');
}
