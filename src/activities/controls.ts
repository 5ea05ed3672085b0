/** In the pattern `handoff` agents make moves: calls that the run itself answers. */
import type { Control, ToolSpec } from '../contract/agent.js';
import type { PatternOptions } from '../contract/pattern.js';
import { hint, show, type Problem } from '../contract/problems.js';

export interface Speaker {
  name: string;
  description: string;
  /** Whom it names itself. */
  handoffs?: string[];
  /** What its tools are called. */
  tools: string[];
}

export interface Moves {
  controls: { [call: string]: Control };
  tools: ToolSpec[];
}

/** By agent: to whom it may hand over, and how it says that the task is done. */
export function controlsOf(agents: readonly Speaker[], options: PatternOptions['handoff']): Map<string, Moves> {
  const edges = edgesOf(agents, options);
  return new Map(
    agents.map(({ name }) => {
      const targets = agents.filter((agent) => edges.get(name)?.has(agent.name));
      const moves = targets.map((target) => transfer(target, edges.get(name)?.get(target.name)));
      const all = options.completeTask === false ? moves : [...moves, complete];
      return [
        name,
        { controls: Object.fromEntries(all.map(({ spec, control }) => [spec.name, control])), tools: all.map(({ spec }) => spec) },
      ];
    }),
  );
}

/** Names of tools that providers take. */
const longestCall = 64;

/** What the agents say of each other that cannot be, and moves that cannot be called. Paths begin at the agents. */
export function problemsOfMoves(agents: readonly Speaker[], moves: ReadonlyMap<string, Moves>): Problem[] {
  const names = agents.map(({ name }) => name);
  return agents.flatMap(({ name, handoffs = [], tools }, i) => {
    const problems: Problem[] = [];
    const wrong = handoffs.find((target, at) => target === name || !names.includes(target) || handoffs.indexOf(target) < at);
    if (wrong === name) problems.push({ path: `agents[${i}].handoffs`, message: `names ${show(name)} itself; leave it out` });
    else if (wrong !== undefined && names.includes(wrong))
      problems.push({ path: `agents[${i}].handoffs`, message: `names ${show(wrong)} twice; leave one of them out` });
    else if (wrong !== undefined)
      problems.push({ path: `agents[${i}].handoffs`, message: `names ${show(wrong)}, who is not among the agents; ${hint(wrong, names)}` });
    const calls = moves.get(name)?.tools.map((tool) => tool.name) ?? [];
    const clash = calls.find((call) => tools.includes(call));
    if (clash !== undefined)
      problems.push({ path: `agents[${i}].tools`, message: `${show(clash)} is what the pattern calls a move of its own; rename the tool` });
    const long = calls.find((call) => call.length > longestCall);
    if (long !== undefined)
      problems.push({
        path: `agents[${i}]`,
        message: `would call ${long}, and providers take ${longestCall} characters; rename that agent`,
      });
    return problems;
  });
}

/** What agents say of themselves and what the options say; everybody to everybody where nobody says anything. */
function edgesOf(agents: readonly Speaker[], { handoffs }: PatternOptions['handoff']): Map<string, Map<string, string>> {
  const edges = new Map(agents.map(({ name }): [string, Map<string, string>] => [name, new Map()]));
  const isMesh = !handoffs && agents.every((agent) => agent.handoffs === undefined);
  for (const { name, handoffs: own = [] } of agents) {
    const targets = isMesh ? agents.map((agent) => agent.name).filter((other) => other !== name) : own;
    for (const target of targets) edges.get(name)?.set(target, '');
  }
  for (const [from, targets] of Object.entries(handoffs ?? {})) {
    const described = Array.isArray(targets) ? targets.map((target): [string, string] => [target, '']) : Object.entries(targets);
    for (const [target, description] of described) edges.get(from)?.set(target, description);
  }
  return edges;
}

function transfer({ name, description }: Speaker, when = ''): { spec: ToolSpec; control: Control } {
  const reason = { type: 'string', description: 'Why, in one sentence.' };
  return {
    spec: {
      name: `transfer_to_${name}`,
      description: `Hands the conversation over to ${name}. ${when || description}`.trim(),
      parameters: { type: 'object', properties: { reason }, additionalProperties: false },
    },
    control: { handoff: name },
  };
}

const complete: { spec: ToolSpec; control: Control } = {
  spec: {
    name: 'complete_task',
    description: 'Ends the conversation when there is nothing left to do.',
    parameters: {
      type: 'object',
      properties: { summary: { type: 'string', description: 'What was done, for whoever asked.' } },
      required: ['summary'],
      additionalProperties: false,
    },
  },
  control: { complete: true },
};
