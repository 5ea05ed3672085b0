/** The agents and orchestrations that a worker offers, by name. */
import { agentNamePattern, type AgentDefinition } from '../contract/agent.js';
import { problemsOfAgent, readRunInput } from '../contract/input-schema.js';
import type { JsonObject } from '../contract/json.js';
import { patternNames, patterns } from '../contract/pattern.js';
import { distinct, hint, problemsFailure, show, type Problem } from '../contract/problems.js';
import type { RunInput } from '../contract/run.js';
import { isZod, jsonSchemaOf } from '../contract/schema-words.js';
import type { Tool } from '../tools/define-tool.js';
import type { Agent } from './define-agent.js';
import type { Orchestration } from './define-orchestration.js';

export interface AgentRegistry {
  agent(name: string): AgentDefinition | undefined;
  agentNames(): string[];
  orchestration(name: string): OrchestrationDefinition | undefined;
  orchestrationNames(): string[];
}

/** An orchestration in plain JSON: what it fills of a run's input. */
export interface OrchestrationDefinition extends Pick<RunInput, 'options' | 'limits'> {
  name: string;
  description?: string;
  pattern: string;
  agents: string[];
}

/** Where the tools of agents are found, and where those that come as values are put: the tool registry. */
export interface ToolShelf {
  names(): string[];
  offer(tool: Tool, path: string): Problem[];
}

/**
 * Registers agents and orchestrations, and what they hold as values: agents of orchestrations, tools of agents.
 * The same value may come more than once.
 *
 * @throws `Input.Invalid` with every problem of all of them
 */
export function createAgentRegistry(agents: readonly Agent[], orchestrations: readonly Orchestration[], tools: ToolShelf): AgentRegistry {
  const offers = [
    ...agents.map((agent, i) => ({ agent, path: `agents[${i}]` })),
    ...orchestrations.flatMap((orchestration, i) =>
      valuesOf<Agent>(orchestration?.agents).map(({ value, at }) => ({ agent: value, path: `orchestrations[${i}].agents[${at}]` })),
    ),
  ];
  const team = registerAgents(offers, tools);
  const menu = registerOrchestrations(orchestrations, team.definitions);
  const problems = [...team.problems, ...menu.problems];
  if (problems.length > 0) throw problemsFailure('The registration of agents and orchestrations', problems);
  return {
    agent: (name) => team.definitions.get(name),
    agentNames: () => [...team.definitions.keys()],
    orchestration: (name) => menu.definitions.get(name),
    orchestrationNames: () => [...menu.definitions.keys()],
  };
}

function registerAgents(offers: readonly { agent: Agent; path: string }[], tools: ToolShelf) {
  const problems: Problem[] = [];
  const takeName = uniqueNames(problems);
  const registered = new Map<Agent, { definition: AgentDefinition; path: string }>();
  for (const { agent, path } of offers) {
    if (registered.has(agent)) continue;
    if (typeof agent !== 'object' || agent === null) {
      problems.push({ path, message: `must be an agent made with defineAgent, not ${show(agent)}` });
      continue;
    }
    const { definition, problems: found } = toDefinition(agent);
    registered.set(agent, { definition, path });
    const values = valuesOf<Tool>(agent.tools);
    const isValue = new Set(values.map(({ at }) => `tools[${at}]`));
    problems.push(...found.filter((problem) => !isValue.has(problem.path)).map((problem) => within(path, problem)));
    problems.push(...values.flatMap(({ value, at }) => tools.offer(value, `${path}.tools[${at}]`)));
    takeName(definition.name, path);
  }
  // Only now are the tools of all agents known. One that could not be registered is a problem already, not an unknown name.
  const offered = new Set([...registered.keys()].flatMap((agent) => valuesOf<Tool>(agent.tools).map(({ value }) => value?.name)));
  for (const { definition, path } of registered.values()) {
    for (const [i, tool] of listOf(definition.tools).entries()) {
      if (typeof tool !== 'string' || offered.has(tool) || tools.names().includes(tool)) continue;
      problems.push({ path: `${path}.tools[${i}]`, message: `no tool is called ${show(tool)}; ${hint(tool, tools.names())}` });
    }
  }
  return { definitions: new Map([...registered.values()].map(({ definition }) => [definition.name, definition])), problems };
}

/** An agent in plain JSON: tools by name, the schema of its reply as JSON schema. */
function toDefinition(agent: Agent): { definition: AgentDefinition; problems: Problem[] } {
  const { tools, outputSchema, ...rest } = agent;
  const read = isZod(outputSchema) ? jsonSchemaOf(outputSchema) : { schema: outputSchema as JsonObject | undefined };
  const definition: AgentDefinition = {
    ...rest,
    ...(tools && { tools: namesOf(tools) }),
    ...('schema' in read && read.schema && { outputSchema: read.schema }),
  };
  const problems = problemsOfAgent(definition);
  return { definition, problems: 'problem' in read ? [...problems, { path: 'outputSchema', message: read.problem }] : problems };
}

function registerOrchestrations(orchestrations: readonly Orchestration[], agents: ReadonlyMap<string, AgentDefinition>) {
  const problems: Problem[] = [];
  const takeName = uniqueNames(problems);
  const definitions = new Map<string, OrchestrationDefinition>();
  for (const [i, orchestration] of orchestrations.entries()) {
    const path = `orchestrations[${i}]`;
    if (typeof orchestration !== 'object' || orchestration === null) {
      problems.push({ path, message: `must be an orchestration made with defineOrchestration, not ${show(orchestration)}` });
      continue;
    }
    const definition: OrchestrationDefinition = { ...orchestration, agents: namesOf(orchestration.agents) };
    problems.push(...problemsOfOrchestration(definition, [...agents.keys()]).map((problem) => within(path, problem)));
    takeName(definition.name, path);
    definitions.set(definition.name, definition);
  }
  return { definitions, problems };
}

function problemsOfOrchestration({ name, pattern, agents, options, limits }: OrchestrationDefinition, known: string[]): Problem[] {
  const problems: Problem[] = [];
  if (typeof name !== 'string' || !agentNamePattern.test(name)) {
    problems.push({ path: 'name', message: `must be a letter, then letters, digits, _ or -, at most 64 characters, not ${show(name)}` });
  } else if (patternNames.some((taken) => taken.toLowerCase() === name.toLowerCase())) {
    problems.push({ path: 'name', message: `${show(name)} is the name of a pattern; call the orchestration something else` });
  }
  if (!Object.hasOwn(patterns, pattern)) {
    problems.push({ path: 'pattern', message: `no pattern is called ${show(pattern)}; ${hint(String(pattern), patternNames)}` });
  }
  // Everything else has to be what a run's input may hold.
  problems.push(...readRunInput(pattern, { task: 'any', agents, options, limits }).problems);
  for (const [i, agent] of listOf(agents).entries()) {
    if (typeof agent !== 'string' || known.includes(agent)) continue;
    problems.push({ path: `agents[${i}]`, message: `no agent is called ${show(agent)}; ${hint(agent, known)}` });
  }
  return distinct(problems);
}

/** Names that are taken once, capitals aside. */
function uniqueNames(problems: Problem[]) {
  const taken = new Map<string, string>();
  return (name: unknown, path: string): void => {
    if (typeof name !== 'string') return;
    const first = taken.get(name.toLowerCase());
    if (first === undefined) taken.set(name.toLowerCase(), path);
    else problems.push({ path: `${path}.name`, message: `${show(name)} is taken by ${first}; rename one of them` });
  };
}

/** What is no list stays as it is, to be found wrong with everything else. */
function namesOf(list: readonly ({ name: string } | string)[]): string[] {
  return Array.isArray(list)
    ? list.map((item: { name: string } | string) => (typeof item === 'string' ? item : item?.name))
    : (list as never);
}

/** What a list holds besides names. */
function valuesOf<T>(list: readonly (T | string)[] | undefined): { value: T; at: number }[] {
  return listOf(list).flatMap((value, at) => (typeof value === 'string' ? [] : [{ value, at }]));
}

function listOf<T>(value: readonly T[] | undefined): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [];
}

function within(path: string, problem: Problem): Problem {
  return { ...problem, path: problem.path === '' ? path : `${path}.${problem.path}` };
}
