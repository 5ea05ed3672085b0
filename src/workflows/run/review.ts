/** What an agent has said is looked at by a person before its turn is over. */
import type { ReviewOptions } from '../../contract/approval.js';
import { decisionIn, reviewSchema } from '../../contract/answers.js';
import { fail } from '../../contract/failure.js';
import type { Draft, OpenTurn } from '../../state/run-state.js';
import { superseded } from './asking.js';
import { find } from './request-list.js';
import { request, type Answer } from './requests.js';
import type { AnyRun } from './run.js';
import { inBranch } from './steps.js';

interface ReviewDecision {
  decision: 'approve' | 'revise' | 'reject';
  feedback?: string;
}

/**
 * `revise`: the agent has been told what to change, and speaks again in the same turn.
 *
 * @throws `Turn.Rejected` · `Request.Expired`
 */
export async function reviewed(
  run: AnyRun,
  turn: OpenTurn,
  draft: Draft,
  { maxRevisions = 5, ...patience }: ReviewOptions,
): Promise<'approve' | 'revise'> {
  const { revisions = 0 } = turn;
  const id = inBranch(`review-${turn.ordinal}-${revisions}`, run.state.branch);
  const answer = await request(run, id, {
    kind: 'review',
    prompt: draft.text || '(Nothing was said.)',
    schema: reviewSchema(revisions < maxRevisions),
    agent: turn.agent,
    patience,
    turn,
  });
  if (find(run, id)?.status === 'withdrawn') throw rejected(turn, `the review was withdrawn: ${superseded}`);
  const { decision, feedback } = decided(turn, answer);
  if (decision === 'approve') return 'approve';
  const by = 'by' in answer ? answer.by : undefined;
  if (decision === 'reject') throw rejected(turn, `${by ?? 'a person'} rejected it${feedback ? `: ${feedback}` : ''}`);
  tell(run, turn, feedback || 'Make another version.', by);
  return 'revise';
}

function decided({ agent }: OpenTurn, answer: Answer): ReviewDecision {
  if (answer.response !== undefined) return decisionIn<ReviewDecision & { decision: ReviewDecision['decision'] }>(answer.response);
  const { outcome = 'reject' } = answer as { outcome?: string };
  if (outcome === 'approve') return { decision: 'approve' };
  if (outcome === 'reject') return { decision: 'reject', feedback: 'nobody reviewed it in time' };
  throw fail('Request.Expired', `Nobody reviewed in time what ${agent} has said.`, { final: true });
}

/** Only to the agent, which goes on in this turn. */
function tell(run: AnyRun, { ordinal, agent }: OpenTurn, text: string, by: string | undefined): void {
  run.transcript.append({
    message: {
      role: 'user',
      ...(by !== undefined && { authorName: by }),
      createdAt: new Date().toISOString(),
      contents: [{ $type: 'text', text }],
    },
    turn: ordinal,
    audience: [agent],
  });
}

function rejected({ agent }: OpenTurn, why: string) {
  return fail('Turn.Rejected', `What ${agent} said does not count: ${why}.`, { final: true });
}
