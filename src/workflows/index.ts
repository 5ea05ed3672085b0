/** Patterns, the janitor and nothing else: whatever this module exports can be started by name. Safe in the workflow sandbox. */
export { concurrent } from './concurrent.js';
export { groupChat } from './group-chat.js';
export { handoff } from './handoff.js';
export { janitor } from './janitor.js';
export { magentic } from './magentic.js';
export { routing } from './routing.js';
export { sequential } from './sequential.js';
export { session } from './session.js';
