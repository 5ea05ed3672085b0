import type { PatternOptions } from '../contract/pattern.js';
import { definePattern, type MemberResult, type Results, type Run } from './run/index.js';
import { classify } from './run/classify.js';

interface Progress {
  /** Names of members, once the classifier has decided. */
  targets?: string[];
  isAnswered: boolean;
  /** With `match: 'all'`. */
  results: Results;
}
type RoutingRun = Run<Progress, PatternOptions<string, string>['routing']>;

/** A classifier says what the task is; the agent for that answers it. */
export const routing = definePattern(
  'routing',
  { progress: { isAnswered: false, results: {} } as Progress, conclude: async (run) => listed(run), partial: listed },
  async (run) => {
    const { progress } = run;
    const targets = (progress.targets ??= await classify(run));
    if (run.options.match === 'all') return void (await run.together(targets, progress.results));
    if (progress.isAnswered) return;
    await run.turn(targets[0] as string);
    progress.isAnswered = true;
  },
);

/** Where several may answer, the output is what became of each, also of a run that was ended before all had. */
function listed({ options, progress: { targets = [], results } }: RoutingRun): MemberResult[] | undefined {
  return options.match === 'all' ? targets.flatMap((name) => results[name] ?? []) : undefined;
}
