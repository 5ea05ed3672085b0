/** The words to write a pattern of one's own with. Safe in the workflow sandbox. */
export { definePattern, type PatternDefinition, type Plot } from './define-pattern.js';
export { type Run } from './run.js';
export { type TurnOptions } from './turn.js';
export type { RunInput, RunResult } from '../../contract/run.js';
