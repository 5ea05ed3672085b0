/** An agent as it is recorded when a run starts. */
import type { AgentDefinition, RecordedAgent } from '../contract/agent.js';
import type { ReviewOptions } from '../contract/approval.js';
import type { Compaction } from '../contract/compaction.js';
import type { ModelProviders } from '../llm/provider.js';

/** How often a turn may go back to the model, for agents that do not say. */
const defaultToolRounds = 16;

/** What of its instructions stands for a description that nobody gave. */
const aboutLength = 200;

export type ResolvedModel = ReturnType<ModelProviders['resolve']>;

/**
 * Written member by member, so that the order in which a definition has them does not matter. In a schema it does: models fill it in
 * from top to bottom.
 */
export function recordAgent(
  definition: AgentDefinition,
  { model, tools, compaction, approvals, questions }: Pick<RecordedAgent, 'model' | 'tools' | 'compaction' | 'approvals' | 'questions'>,
): RecordedAgent {
  const { name, description, instructions, temperature, maxOutputTokens, maxToolRounds = defaultToolRounds, outputSchema } = definition;
  return {
    name,
    description,
    instructions,
    model,
    tools,
    temperature,
    maxOutputTokens,
    maxToolRounds,
    outputSchema,
    compaction,
    approvals,
    questions,
    review: reviewOf(definition),
  };
}

export function reviewOf({ review }: Pick<AgentDefinition, 'review'>): ReviewOptions | undefined {
  return review === true ? {} : review || undefined;
}

export function descriptionOf({ description, instructions }: Pick<AgentDefinition, 'description' | 'instructions'>): string {
  return description ?? instructions.slice(0, aboutLength);
}

/** Its policy, with the model that sums up by its full name. `resolve` tells of a name that nobody knows. */
export function compactionOf(
  { compaction }: Pick<AgentDefinition, 'compaction'>,
  own: ResolvedModel,
  resolve: (name: string) => ResolvedModel | undefined,
): { compaction?: Compaction; summarizer?: ResolvedModel } {
  if (!compaction || !('summary' in compaction)) return compaction ? { compaction } : {};
  const { model } = compaction.summary;
  const summarizer = model === undefined ? own : resolve(model);
  if (!summarizer) return {};
  return { compaction: { summary: { ...compaction.summary, model: `${summarizer.providerName}/${summarizer.model}` } }, summarizer };
}
