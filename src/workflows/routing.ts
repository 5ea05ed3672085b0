import { definePattern, type Results } from './run/index.js';
import { classify } from './run/classify.js';

/** A classifier says what the task is; the agent for that answers it. */
export const routing = definePattern(
  'routing',
  { progress: { targets: undefined as string[] | undefined, results: {} as Results } },
  async (run) => {
    const targets = (run.progress.targets ??= await classify(run));
    if (run.options.match !== 'all') return void (await run.turn(targets[0] as string));
    return await run.together(targets, run.progress.results);
  },
);
