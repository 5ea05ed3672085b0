import { definePattern } from './run/index.js';

/** Agents speak one after another; each hears everything said before it, or no more than the last reply. */
export const sequential = definePattern('sequential', { progress: { next: 0, last: -1, prepared: false } }, async (run) => {
  const { contextMode = 'full', transforms = {} } = run.options;
  for (const agent of run.agents.slice(run.progress.next)) {
    const { last, prepared } = run.progress;
    const transform = last < 0 ? undefined : transforms[agent];
    if (transform && !prepared) {
      run.progress.last = run.tellMade(await run.call(transform, { text: run.lastReply, agent }), transform, agent);
      run.progress.prepared = true;
    }
    const from = run.progress.last >= 0 && (transform || contextMode === 'lastReply') ? { from: run.progress.last } : {};
    const { position } = await run.turn(agent, from);
    Object.assign(run.progress, { last: position, prepared: false, next: run.progress.next + 1 });
    await run.checkpoint();
  }
});
