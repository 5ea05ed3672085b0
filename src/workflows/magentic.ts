import { answer, judge, makePlan, progressOf, reviewPlan, tellPlan } from './run/magentic.js';
import { definePattern } from './run/index.js';

/** A manager plans, gives instructions, judges the progress and plans anew, until the task is done. */
export const magentic = definePattern('magentic', { progress: progressOf(), keepsTask: true }, async (run) => {
  const { maxRounds = 20, maxStalls = 3, maxResets = 3 } = run.options;
  const { progress } = run;
  for (;;) {
    if (progress.ending) return await answer(run, progress.ending);
    if (!progress.isPlanned) {
      await makePlan(run);
      const verdict = await reviewPlan(run);
      if (verdict === 'revised') continue;
      if (verdict === 'rejected') return;
      tellPlan(run);
    }
    const next = (progress.next ??= await judge(run, { maxRounds, maxStalls }));
    if (next.satisfied) {
      progress.ending = 'final';
    } else if (progress.round >= maxRounds) {
      progress.ending = 'limit.rounds';
    } else if (progress.stalls > maxStalls) {
      if (progress.resets >= maxResets) progress.ending = 'limit.resets';
      else Object.assign(progress, { isPlanned: false, resets: progress.resets + 1, reason: next.reason, next: null });
    } else if (next.speaker) {
      await run.turn(next.speaker, { from: progress.from });
      Object.assign(progress, { round: progress.round + 1, next: null });
    } else {
      progress.next = null;
    }
    await run.checkpoint();
  }
});
