import type { Json } from '../contract/json.js';
import type { PatternOptions } from '../contract/pattern.js';
import { definePattern, type MemberResult, type Results, type Run } from './run/index.js';
import { countVotes } from './run/vote.js';

interface Progress {
  results: Results;
  /** All have answered, as the policy asks for: there is something to aggregate. */
  isComplete: boolean;
  /** An agent that aggregates has spoken: its reply is the output. */
  isSpoken: boolean;
}
type ConcurrentRun = Run<Progress, PatternOptions<string, string>['concurrent']>;

/** Agents answer the same task side by side; their answers come together, in the order in which the agents were named. */
export const concurrent = definePattern(
  'concurrent',
  {
    progress: { results: {}, isComplete: false, isSpoken: false } as Progress,
    conclude: aggregated,
    partial: (run) => (run.progress.isSpoken ? undefined : listed(run)),
  },
  async (run) => {
    const { progress } = run;
    const { failurePolicy: policy, memberTimeout: timeout, aggregator } = run.options;
    await run.together(run.agents, progress.results, { ...(policy && { policy }), ...(timeout !== undefined && { timeout }) });
    progress.isComplete = true;
    if (typeof aggregator !== 'object' || !('agent' in aggregator) || progress.isSpoken) return;
    await run.turn(aggregator.agent);
    progress.isSpoken = true;
  },
);

/** Also of a run that a condition has ended: what takes no turn still makes the output. */
async function aggregated(run: ConcurrentRun): Promise<Json | void> {
  const { aggregator } = run.options;
  const { isComplete, isSpoken } = run.progress;
  if (isSpoken) return;
  const results = listed(run);
  if (!aggregator || !isComplete) return results;
  if (aggregator === 'vote') return countVotes(run, results);
  return 'function' in aggregator ? ((await run.call(aggregator.function, { results })) ?? results) : results;
}

function listed({ agents, progress: { results } }: ConcurrentRun): MemberResult[] {
  return agents.flatMap((agent) => results[agent] ?? []);
}
