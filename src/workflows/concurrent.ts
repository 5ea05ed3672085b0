import { definePattern, type MemberResult, type Results } from './run/index.js';
import { countVotes } from './run/vote.js';

/** Agents answer the same task side by side; their answers come together, in the order in which the agents were named. */
export const concurrent = definePattern(
  'concurrent',
  { progress: { results: {} as Results }, conclude: async (run) => listed(run.agents, run.progress.results) },
  async (run) => {
    const { failurePolicy, memberTimeout, aggregator } = run.options;
    const results = await run.together(run.agents, run.progress.results, {
      ...(failurePolicy && { policy: failurePolicy }),
      ...(memberTimeout !== undefined && { timeout: memberTimeout }),
    });
    if (!aggregator) return;
    if (aggregator === 'vote') return countVotes(run, results);
    if ('function' in aggregator) return await run.call(aggregator.function, { results });
    return (await run.turn(aggregator.agent)).text;
  },
);

function listed(agents: readonly string[], results: Results): MemberResult[] {
  return agents.flatMap((agent) => results[agent] ?? []);
}
