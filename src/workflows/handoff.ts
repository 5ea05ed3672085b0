import { definePattern } from './run/index.js';

const goOn = 'Nobody answers for the moment. Go on by yourself: hand over, complete the task, or say what comes next.';

/** One agent at a time; it answers, or hands over to another that is better suited. */
export const handoff = definePattern(
  'handoff',
  { progress: { active: '', before: '', returns: 0, turns: 0, alone: 0, asked: 0, waits: false, spoke: false } },
  async (run) => {
    const { options, progress } = run;
    const {
      start = run.agents[0] as string,
      autonomous = false,
      person = false,
      returnTo = 'previous',
      maxTurns = 50,
      maxReturns = 8,
    } = options;
    const { prompt = goOn, turns: mostAlone = 50 } = typeof autonomous === 'object' ? autonomous : {};
    progress.active ||= start;

    for (;;) {
      if (progress.waits) {
        const about = { agent: progress.active, ...(typeof person === 'object' && person) };
        if ((await run.askPerson(`question-${progress.asked}`, about)) === 'end') return;
        Object.assign(progress, { waits: false, before: '', returns: 0, ...(returnTo === 'start' && { active: start }) });
      }
      const { move, text } = await run.turn(progress.active);
      progress.turns += 1;
      progress.spoke ||= text !== '';

      // What others said on the way is no answer.
      if (move && 'complete' in move) return progress.spoke ? undefined : move.summary || undefined;
      if (move) {
        const { handoff: to, reason } = move;
        const returns = to === progress.before ? progress.returns + 1 : 0;
        run.emit('handoff.made', { from: progress.active, to, ...(reason !== undefined && { reason }) });
        Object.assign(progress, { before: progress.active, active: to, returns, alone: 0, spoke: false });
        if (returns > maxReturns)
          return run.endsWith('limit.returns', `${progress.before} and ${to} handed over to each other ${returns} times in a row.`);
      }
      const isAlone = !move && autonomous !== false && progress.alone < mostAlone;
      if (!move && !isAlone && !person) return;
      if (progress.turns >= maxTurns) return run.endsWith('limit.turns', `${maxTurns} turns were taken, the most that the pattern allows.`);
      if (isAlone) {
        progress.alone += 1;
        run.tell(prompt, { to: [progress.active] });
      } else if (!move) {
        Object.assign(progress, { asked: progress.asked + 1, waits: true, alone: 0 });
      }
      await run.checkpoint();
    }
  },
);
