import { definePattern } from './run/index.js';

/** One agent, many turns: a conversation that stays open until it is cancelled or reaches a limit. */
export const session = definePattern('session', { conversational: true }, async (run) => {
  const [agent] = run.agents as [string];
  for (;;) {
    await run.hear();
    await run.turn(agent, { onFailure: 'record' });
    await run.checkpoint();
  }
});
