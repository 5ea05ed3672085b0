/** What most members said, capitals, spaces and a full stop aside; of equals what was said by whoever was named first. */
import type { MemberResult } from './together.js';
import type { AnyRun } from './run.js';

export function countVotes(run: AnyRun, results: readonly MemberResult[]): string {
  const votes = new Map<string, { vote: string; members: string[] }>();
  for (const result of results) {
    if (result.status !== 'completed') continue;
    const key = result.output.trim().replace(/\s+/g, ' ').replace(/\.$/, '').toLowerCase();
    const vote = votes.get(key) ?? { vote: result.output.trim(), members: [] };
    vote.members.push(result.member);
    votes.set(key, vote);
  }
  const counted = [...votes.values()].sort((a, b) => b.members.length - a.members.length);
  const winner = counted[0]?.vote ?? '';
  const shown = counted.slice(0, 20).map(({ vote, members }) => ({ vote: vote.slice(0, 200), members }));
  run.emit('votes.counted', { votes: shown, winner: winner.slice(0, 200) });
  return winner;
}
