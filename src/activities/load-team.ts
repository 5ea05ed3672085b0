import type { AgentDefinition, RecordedAgent, TeamDocument, TeamMember } from '../contract/agent.js';
import type { AgentRegistry } from '../agents/registry.js';
import { fail, failureOf } from '../contract/failure.js';
import { parseRunInput, readRunInput } from '../contract/input-schema.js';
import { hint, problemsFailure, show, type Problem } from '../contract/problems.js';
import type { Limits, RunInput } from '../contract/run.js';
import { sizes, utf8Bytes } from '../contract/size.js';
import { spanMs } from '../contract/span.js';
import type { LoadTeamInput, LoadTeamOutput, RunSettings } from '../contract/step.js';
import type { ModelProviders } from '../llm/provider.js';
import type { Store } from '../store/store.js';
import type { ToolRegistry } from '../tools/registry.js';
import { publishEvents } from './publish.js';

export interface LoadTeamDeps {
  agents: AgentRegistry;
  tools: ToolRegistry;
  providers: ModelProviders;
  settings: RunSettings;
  store: Store;
}

/** How often a turn may go back to the model, for agents that do not say. */
const defaultToolRounds = 16;

/** The task queue on which the calls to a provider with `maxCallsPerSecond` are rationed. */
export function modelQueue(taskQueue: string, provider: string): string {
  return `${taskQueue}-model-${provider}`;
}

/**
 * The first step of every run: names become definitions, and these are recorded, so that a run keeps the agents it started with.
 * Safe to repeat: the same definitions have the same id.
 */
export function createLoadTeam(deps: LoadTeamDeps) {
  return async function loadTeam({ pattern, input, taskProblems = [], ...base }: LoadTeamInput): Promise<LoadTeamOutput> {
    await publishEvents(deps.store.events, base);
    const unknown: Problem[] = [];
    const read = readRunInput(pattern, input);
    const problems = [...taskProblems, ...read.problems];
    if (!read.input || problems.length > 0) throw problemsFailure('The run input', problems);
    const document = fill(read.input, pattern, deps.agents, unknown);
    const found = (document.agents ?? []).map((agent, i) => resolve(agent, `agents[${i}]`, deps, unknown));
    if (unknown.length > 0) throw problemsFailure('The run input', unknown, 'Input.UnknownAgent');

    const team = found.filter((agent) => agent !== undefined);
    const id = await record({ agents: team.map(({ recorded }) => recorded) }, deps.store);
    const { limits, options = {}, orchestration } = document;
    return {
      team: { id, members: team.map(({ member }) => member) },
      limits: inMilliseconds(limits),
      options,
      ...(orchestration !== undefined && { orchestration }),
      settings: deps.settings,
    };
  };
}

/** The orchestration gives what the input leaves open; of options and limits, each by itself. */
function fill(input: RunInput, pattern: string, registry: AgentRegistry, unknown: Problem[]): RunInput {
  const { orchestration: name, ...given } = input;
  if (name === undefined) return input;
  const known = registry.orchestration(name);
  if (!known) {
    unknown.push({
      path: 'orchestration',
      message: `no orchestration is called ${show(name)} here; ${hint(name, registry.orchestrationNames())}`,
    });
    return input;
  }
  if (known.pattern !== pattern) {
    const message = `${show(name)} is an orchestration of the pattern "${known.pattern}"; start it as that, not as "${pattern}"`;
    throw problemsFailure('The run input', [{ path: 'orchestration', message }]);
  }
  const filled = {
    ...given,
    agents: given.agents ?? known.agents,
    options: { ...known.options, ...given.options },
    limits: { ...known.limits, ...given.limits },
  };
  return { ...parseRunInput(pattern, filled), orchestration: name };
}

function resolve(agent: string | AgentDefinition, path: string, deps: LoadTeamDeps, unknown: Problem[]) {
  const { agents, tools, providers, store } = deps;
  const definition = typeof agent === 'string' ? agents.agent(agent) : agent;
  if (!definition) {
    unknown.push({ path, message: `no agent is called ${show(agent)} here; ${hint(String(agent), agents.agentNames())}` });
    return undefined;
  }
  for (const [i, tool] of (definition.tools ?? []).entries()) {
    if (tools.spec(tool)) continue;
    unknown.push({ path: `${path}.tools[${i}]`, message: `no tool is called ${show(tool)} here; ${hint(tool, tools.names())}` });
  }
  const model = modelOf(definition, path, providers, unknown);
  if (!model) return undefined;
  const { name, description, instructions, temperature, maxOutputTokens, maxToolRounds = defaultToolRounds, outputSchema } = definition;
  // Written member by member, so that the order in which a definition has them does not matter. In a schema it does: models fill
  // it in from top to bottom.
  const recorded: RecordedAgent = {
    name,
    description,
    instructions,
    model: `${model.providerName}/${model.model}`,
    tools: (definition.tools ?? []).flatMap((tool) => tools.spec(tool) ?? []),
    temperature,
    maxOutputTokens,
    maxToolRounds,
    outputSchema,
  };
  const member: TeamMember = {
    name,
    ...(description !== undefined && { description }),
    maxToolRounds,
    ...(model.entry.maxCallsPerSecond !== undefined && { modelQueue: modelQueue(store.environment.taskQueue, model.providerName) }),
  };
  return { recorded, member };
}

function modelOf({ model }: AgentDefinition, path: string, providers: ModelProviders, unknown: Problem[]) {
  try {
    return providers.resolve(model);
  } catch (error) {
    unknown.push({ path: `${path}.model`, message: failureOf(error).message });
    return undefined;
  }
}

async function record(team: TeamDocument, store: Store): Promise<string> {
  const text = JSON.stringify(team);
  const bytes = utf8Bytes(text);
  if (bytes <= sizes.team) return await store.blobs.put(text);
  const message = `The definitions of these agents have ${bytes} bytes, tools included; at most ${sizes.team} can be recorded.`;
  throw fail('Input.TooLarge', `${message} Shorten their instructions, or give long texts to them as a task or by a tool.`);
}

function inMilliseconds({ turns, tokens, time }: Limits = {}): LoadTeamOutput['limits'] {
  const timeMs = time === undefined ? undefined : spanMs(time);
  return {
    ...(turns !== undefined && { turns }),
    ...(tokens !== undefined && { tokens }),
    ...(timeMs !== undefined && { timeMs }),
  };
}
