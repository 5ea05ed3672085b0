/** Long conversations: before a model is asked, what is old in its agent's conversation is replaced, when the activity says that it is due. */
import { ActivityFailure, isCancellation } from '@temporalio/workflow';
import type { TeamMember } from '../../contract/agent.js';
import type { CompactionDue, CompactOutput, RequestLimit } from '../../contract/compaction.js';
import { failureOf } from '../../contract/failure.js';
import type { CallModelOutput, HearingInput, ModelInput, NotYet } from '../../contract/step.js';
import { addUsage } from '../../contract/transcript.js';
import { compact, stepFailure } from './activities.js';
import { holdTokens } from './boundary.js';
import type { AnyRun } from './run.js';
import { recordStep } from './steps.js';
import { showDetails } from './visibility.js';

/** Each replaces as much as a request may have; what is left after so many is left out of this call. */
const mostRounds = 8;

/** Whose model call it is, and what its turn hears. */
interface Place {
  /** Of the model call. */
  step: string;
  turn: number;
  start: number;
  from?: number;
}

/**
 * Asks with what the agent hears, as often as its conversation has to be compacted first. It always comes to an answer or a failure: with
 * a limit the activity makes the request shorter by itself, and when a compaction fails, that is how it is done for the rest of the turn.
 */
export async function askCompacted<Output extends Pick<CallModelOutput, 'head' | 'reply' | 'attempt'>>(
  run: AnyRun,
  member: TeamMember,
  { summary, ...place }: Place & { summary: string },
  ask: (input: ModelInput, options: { summary: string; taskQueue?: string }) => Promise<Output | NotYet>,
): Promise<Output> {
  const { name: agent, modelQueue } = member;
  const { step, turn } = place;
  const options = { summary, ...(modelQueue && { taskQueue: modelQueue }) };
  const gaveUp = run.uncompacted.get(agent);
  let limit: RequestLimit | undefined = gaveUp?.turn === place.turn ? { tokens: gaveUp.tokens } : undefined;
  for (let round = 1; ; round++) {
    const about = { step, turn, agent, team: run.state.team.id };
    const heard = { transcript: run.transcript.ref(), ...hearing(run, { agent, ...place }), ...(limit && { limit }) };
    const output = await run.outbox
      .along((base) => ask({ ...base, ...about, ...heard }, options))
      .catch((error: unknown) => {
        throw stepFailure(error, 'Model.Unavailable', `${summary} (step ${step})`);
      });
    run.transcript.advance(output.head);
    if (!('due' in output)) {
      run.state.usage = addUsage(run.state.usage, output.reply.usage);
      recordStep(run, step, output);
      return output;
    }
    const { due } = output;
    const isDone = await compactOnce(run, member, place, due, round);
    if (!isDone) run.uncompacted.set(agent, { turn: place.turn, tokens: due.tokens });
    holdTokens(run);
    if (!isDone || due.reason === 'contextLength' || round === mostRounds)
      limit = { tokens: due.tokens, ...(due.reason === 'contextLength' && { final: true }) };
    run.state.steps.current = place.step;
  }
}

/** Whether it could be done. */
async function compactOnce(
  run: AnyRun,
  member: TeamMember,
  { start, from, turn, step: asked }: Place,
  due: CompactionDue,
  round: number,
): Promise<boolean> {
  const { name: agent } = member;
  const step = `${asked}/compaction${round === 1 ? '' : `-${round}`}`;
  run.state.steps.current = step;
  const summary = `${agent}: compaction before ${asked}`.slice(0, 200);
  showDetails(run, summary);
  const about = { agent, turn, step };
  let output: CompactOutput;
  try {
    output = await run.outbox.along((base) =>
      compact(due.by, run.state.settings.times, {
        summary,
        ...(due.by === 'summary' && member.summaryQueue && { taskQueue: member.summaryQueue }),
      })({
        ...base,
        ...about,
        team: run.state.team.id,
        transcript: run.transcript.ref(),
        ...hearing(run, { agent, start, ...(from !== undefined && { from }) }),
        due,
        idempotencyKey: `${run.state.conversationId}/${step}`,
      }),
    );
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    const { type, message } = failureOf(stepFailure(error, due.by === 'summary' ? 'Model.Unavailable' : 'Function.Failed', summary));
    run.emit('compaction.failed', { by: due.by, failure: { type, message }, ...about });
    return false;
  }
  const { blob, messages, usage, head } = output;
  run.transcript.advance(head);
  if (usage) run.state.usage = addUsage(run.state.usage, usage);
  run.state.compactions = {
    ...run.state.compactions,
    [agent]: { upTo: due.upTo, blob, turn, start, ...(from !== undefined && { from }) },
  };
  recordStep(run, step, output);
  run.emit('conversation.compacted', { by: due.by, reason: due.reason, messages, artifact: blob, ...(usage && { usage }), ...about });
  return true;
}

/** What of the transcript a model is shown. What stands for the older part was made of what is heard from there on. */
function hearing(
  { state, pattern }: AnyRun,
  { agent, start, from }: { agent: string; start: number; from?: number },
): Omit<HearingInput, 'transcript'> {
  const { nested, compactions = {} } = state;
  const inherited = nested?.inherited;
  const always = pattern.keepsTask ? { always: true as const } : {};
  const compaction = Object.hasOwn(compactions, agent) ? compactions[agent] : undefined;
  return {
    start,
    ...(from !== undefined && { from }),
    ...(inherited && { inherited: { ...inherited, ...always } }),
    ...(compaction && (compaction.from ?? 0) === (from ?? 0) && { compaction }),
  };
}
