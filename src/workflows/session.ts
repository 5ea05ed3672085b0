import { definePattern } from './run/index.js';

/** One agent, many turns: a conversation that stays open until it is cancelled or reaches a limit. It may sleep between turns. */
export const session = definePattern('session', { conversational: true }, async (run) => {
  const [agent] = run.agents as [string];
  for (;;) {
    const isHeard = await run.hear(run.options.sleepAfter);
    if (!isHeard && (await run.sleep())) return;
    if (!isHeard) continue;
    await run.turn(agent, { onFailure: 'record' });
    await run.checkpoint();
  }
});
