import { keepTidy } from './run/janitor.js';

/** Deletes what has expired and what somebody wants to be gone. One for each namespace and task queue, while there is something to do. */
export const janitor = keepTidy;
