/** Teams in every pattern, whose words depend on what they have heard and on nothing else: whatever is killed, a run says the same. */
import type { ScriptedCall } from '../../src/testing/index.js';
import type { JsonObject, RunInput } from '../../src/index.js';

const agent = (name: string) => ({ name, instructions: `You are ${name}.`, description: `Is ${name}.`, model: `team-${name}` });
const [ada, ben, cyd, boss] = ['ada', 'ben', 'cyd', 'boss'].map(agent) as [
  ReturnType<typeof agent>,
  ReturnType<typeof agent>,
  ReturnType<typeof agent>,
  ReturnType<typeof agent>,
];

/** By pattern: a document without its task. */
export const teams: { [pattern: string]: Omit<RunInput, 'options'> & { options?: object } } = {
  concurrent: { agents: [ada, ben, cyd], options: { aggregator: { agent: boss } } },
  routing: { agents: [ada, ben], options: { classifier: { agent: boss }, routes: { first: 'ada', second: 'ben' } } },
  handoff: { agents: [ada, ben] },
  groupChat: { agents: [ada, ben, cyd], options: { manager: { agent: boss } } },
  magentic: { agents: [ada, ben], options: { manager: { agent: boss } } },
  // A panel as a member, and an agent that asks another.
  sequential: {
    agents: [
      { ...ada, tools: [{ agent: ben }] },
      { name: 'panel', pattern: 'concurrent', agents: [ben, cyd] },
      { name: 'chat', pattern: 'groupChat', agents: [ada, cyd], options: { maxRounds: 3 } },
    ],
  },
};

interface TeamReply {
  text?: string;
  calls?: { name: string; arguments: JsonObject }[];
}

/** `undefined` for models of others. */
export function teamReply({ model, messages, tools, outputSchema }: ScriptedCall): TeamReply | undefined {
  if (!model.startsWith('team-')) return undefined;
  const name = model.slice('team-'.length);
  const spoken = messages.filter(
    ({ role, content }) => (role === 'user' && /^\[\w+\]\n/.test(content)) || (role === 'assistant' && content),
  ).length;
  const properties = (outputSchema?.properties ?? {}) as { [member: string]: { enum?: string[] } };
  if (outputSchema) return { text: JSON.stringify(decision(properties, spoken)) };
  const offered = tools.map((tool) => tool.name);
  const transfer = offered.find((tool) => tool.startsWith('transfer_to_'));
  if (transfer && spoken < 3) return { text: `${name} hands over after ${spoken}`, calls: [{ name: transfer, arguments: {} }] };
  const ask = offered.find((tool) => tool.startsWith('ask_'));
  const wasAnswered = messages.some(({ role }) => role === 'tool');
  if (ask && !wasAnswered) return { calls: [{ name: ask, arguments: { message: 'What do you say?' } }] };
  return { text: `${name} has spoken after ${spoken}` };
}

function decision(properties: { [member: string]: { enum?: string[] } }, spoken: number): object {
  if (properties.label) return { label: 'second' };
  if (properties.speaker) {
    const candidates = (properties.speaker.enum ?? []).filter(Boolean);
    return spoken >= 5 ? { done: true } : { done: false, speaker: candidates[spoken % candidates.length] };
  }
  if (!properties.next_speaker) return { text: `words after ${spoken}` };
  const entry = (answer: string | boolean) => ({ reason: 'so it is', answer });
  return {
    is_request_satisfied: entry(spoken >= 5),
    is_in_loop: entry(false),
    is_progress_being_made: entry(true),
    next_speaker: entry(spoken % 2 === 0 ? 'ada' : 'ben'),
    instruction_or_question: entry(`go on after ${spoken}`),
  };
}
