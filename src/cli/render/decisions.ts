/** What a pattern or a person has decided, in a line. */
import type { RunEvent } from '../../contract/event.js';
import { short } from './words.js';

export function decisionText(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'handoff.made':
      return `${event.from} hands over to ${event.to}${because(event.reason)}`;
    case 'speaker.chosen':
      return event.by === 'roundRobin' ? undefined : `Next: ${event.speaker}${because(event.reason)}`;
    case 'route.taken':
      return `Route: ${event.labels.join(', ') || 'none'} → ${event.targets.join(', ') || 'nobody'}${because(event.reason)}`;
    case 'votes.counted':
      return `Votes: ${event.votes.map(({ vote, members }) => `${members.length} × "${short(vote, 60)}"`).join(', ')}`;
    case 'plan.made':
      return `Plan${event.reset > 0 ? ` ${event.reset + 1}` : ''}:\n${event.plan}`;
    case 'progress.judged':
      if (event.satisfied) return `The task is done${because(event.reason)}`;
      return event.speaker
        ? `To ${event.speaker}: ${short(event.instruction ?? '', 300)}`
        : `No progress (${event.stalls})${because(event.reason)}`;
    case 'decision.refused':
      return `Not usable, from ${event.by}: ${short(event.reason, 200)}`;
    case 'condition.met':
      return event.conditions.map(({ reason }) => reason).join(' ');
    default:
      return undefined;
  }
}

function because(reason: string | undefined): string {
  return reason ? `: ${short(reason, 200)}` : '';
}
