import { definePattern } from './run/index.js';

/** Agents speak one after another; each hears everything said before it. */
export const sequential = definePattern('sequential', { progress: { next: 0 } }, async (run) => {
  for (const agent of run.agents.slice(run.progress.next)) {
    await run.turn(agent);
    run.progress.next += 1;
    await run.checkpoint();
  }
});
