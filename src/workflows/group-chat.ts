import { definePattern } from './run/index.js';
import { chooseSpeaker } from './run/choose-speaker.js';
import { readVerdict } from './run/conditions.js';

/** Agents talk to one another; a manager says who speaks next, and when they are done. */
export const groupChat = definePattern(
  'groupChat',
  {
    progress: { round: 0, previous: '', speaker: '', asked: -1, judged: '', concluded: false },
    conclude: async (run) => {
      const { result } = run.options;
      if (!result) return;
      if ('function' in result) return await run.call(result.function, { text: run.lastReply }, { since: 0 });
      if (!run.progress.concluded) run.tell('The conversation is over. Say what it came to.', { to: [result.agent] });
      run.progress.concluded = true;
      return (await run.turn(result.agent)).text;
    },
  },
  async (run) => {
    const { terminate, maxRounds = 20, person } = run.options;
    const { progress } = run;
    for (;;) {
      if (!progress.speaker) {
        // In this order: a chat that is over asks nobody, and a person's last word can end it too.
        const { round, previous, asked } = progress;
        if (terminate && progress.judged !== `${round}/${asked}`) {
          const verdict = await run.call(terminate.function, { round, previous }, { since: 0 });
          if (readVerdict(terminate.function, verdict).fired) return;
          progress.judged = `${round}/${asked}`;
        }
        if (round >= maxRounds) return run.endsWith('limit.rounds', `${maxRounds} rounds were taken, the most that the pattern allows.`);
        if (person && mayAsk(person, progress)) {
          const said = await run.askPerson(`words-${round}`, typeof person === 'object' ? person : {});
          if (said === 'end') return;
          progress.asked = round;
          await run.checkpoint();
          continue;
        }
        const chosen = await chooseSpeaker(run, progress);
        if (chosen === undefined) return;
        progress.speaker = chosen;
      }
      await run.turn(progress.speaker);
      Object.assign(progress, { previous: progress.speaker, speaker: '', round: progress.round + 1 });
      await run.checkpoint();
    }
  },
);

function mayAsk(
  person: true | { after?: string[] },
  { round, previous, asked }: { round: number; previous: string; asked: number },
): boolean {
  if (round === 0 || asked === round) return false;
  return person === true || !person.after || person.after.includes(previous);
}
