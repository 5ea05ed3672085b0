/** Patterns and nothing else: whatever this module exports can be started by name. Safe in the workflow sandbox. */
export { sequential } from './sequential.js';
export { session } from './session.js';
