/** The words to write a pattern of one's own with. Safe in the workflow sandbox. */
export { definePattern, type PatternDefinition, type Plot } from './define-pattern.js';
export { type Run } from './run.js';
export { type AskOptions } from './ask.js';
export { type Answer, type Question } from './requests.js';
export { type MemberResult, type Results, type TogetherOptions } from './together.js';
export { type TurnOptions } from './turn.js';
export { type TurnOutcome } from './turn-record.js';
export type { RunInput, RunResult } from '../../contract/run.js';
