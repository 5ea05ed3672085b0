/** The agents and orchestrations that a worker offers, by name. */
import { agentNamePattern, type AgentDefinition } from '../contract/agent.js';
import type { QuestionOptions } from '../contract/approval.js';
import type { Compaction } from '../contract/compaction.js';
import { problemsOfAgent, readRunInput } from '../contract/input-schema.js';
import type { JsonObject } from '../contract/json.js';
import { patternNames, patterns } from '../contract/pattern.js';
import { distinct, hint, problemsFailure, show, type Problem } from '../contract/problems.js';
import type { RunInput } from '../contract/run.js';
import { isZod, jsonSchemaOf } from '../contract/schema-words.js';
import type { RegisteredFunction } from '../functions/define-function.js';
import type { Tool } from '../tools/define-tool.js';
import type { Agent } from './define-agent.js';
import type { Orchestration } from './define-orchestration.js';
import { collectValues, withNames, type Found } from './values.js';

export interface AgentRegistry {
  agent(name: string): AgentDefinition | undefined;
  agentNames(): string[];
  orchestration(name: string): OrchestrationDefinition | undefined;
  orchestrationNames(): string[];
}

/** An orchestration in plain JSON: what it fills of a run's input. */
export interface OrchestrationDefinition extends Pick<RunInput, 'options' | 'limits' | 'termination' | 'input' | 'output'> {
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

/** Where functions that come as values are put. */
export interface FunctionShelf {
  offer(given: RegisteredFunction, path: string): Problem[];
}

/**
 * Registers agents and orchestrations, and what they hold as values: agents of orchestrations, tools of agents, functions in options.
 * The same value may come more than once.
 *
 * @throws `Input.Invalid` with every problem of all of them
 */
export function createAgentRegistry(
  agents: readonly Agent[],
  orchestrations: readonly Orchestration[],
  tools: ToolShelf,
  functions: FunctionShelf = { offer: () => [] },
): AgentRegistry {
  const values = collectValues(agents, orchestrations);
  const team = registerAgents(values.agents, tools);
  const menu = registerOrchestrations(values.orchestrations, team.definitions);
  const problems = [
    ...team.problems,
    ...menu.problems,
    ...values.functions.flatMap(({ value, path }) => functions.offer(value, path)),
    ...[...menu.definitions.keys()].flatMap((name) => namesake(name, team.definitions.keys())),
  ];
  if (problems.length > 0) throw problemsFailure('The registration of agents and orchestrations', problems);
  return {
    agent: (name) => team.definitions.get(name),
    agentNames: () => [...team.definitions.keys()],
    orchestration: (name) => menu.definitions.get(name),
    orchestrationNames: () => [...menu.definitions.keys()],
  };
}

/** A member is named by either, so that the name must say which. */
function namesake(name: string, agents: Iterable<string>): Problem[] {
  const agent = [...agents].find((known) => known.toLowerCase() === name.toLowerCase());
  return agent === undefined
    ? []
    : [{ path: `orchestration ${name}`, message: `has the name of an agent, ${show(agent)}; rename one of them` }];
}

function registerAgents(offers: readonly Found<Agent>[], tools: ToolShelf) {
  const problems: Problem[] = [];
  const takeName = uniqueNames(problems);
  const registered = new Map<Agent, { definition: AgentDefinition; path: string }>();
  for (const { value: agent, path } of offers) {
    if (registered.has(agent)) continue;
    if (typeof agent !== 'object' || agent === null) {
      problems.push({ path, message: `must be an agent made with defineAgent, not ${show(agent)}` });
      continue;
    }
    const { definition, problems: found } = toDefinition(agent);
    registered.set(agent, { definition, path });
    const values = toolValuesOf(agent);
    const isValue = new Set(values.map(({ at }) => `tools[${at}]`));
    problems.push(...found.filter((problem) => !isValue.has(problem.path)).map((problem) => within(path, problem)));
    problems.push(...values.flatMap(({ value, at }) => tools.offer(value, `${path}.tools[${at}]`)));
    takeName(definition.name, path);
  }
  // Only now are the tools of all agents known. One that could not be registered is a problem already, not an unknown name.
  const offered = new Set([...registered.keys()].flatMap((agent) => toolValuesOf(agent).map(({ value }) => value?.name)));
  for (const { definition, path } of registered.values()) {
    for (const [i, used] of listOf(definition.tools).entries()) {
      const tool = typeof used === 'object' && used !== null && 'tool' in used ? used.tool : used;
      if (typeof tool !== 'string' || offered.has(tool) || tools.names().includes(tool)) continue;
      problems.push({
        path: `${path}.tools[${i}]${tool === used ? '' : '.tool'}`,
        message: `no tool is called ${show(tool)}; ${hint(tool, tools.names())}`,
      });
    }
  }
  return { definitions: new Map([...registered.values()].map(({ definition }) => [definition.name, definition])), problems };
}

/** An agent in plain JSON: tools by name, the schema of its reply as JSON schema. */
function toDefinition(agent: Agent): { definition: AgentDefinition; problems: Problem[] } {
  const { tools, outputSchema, compaction, ...rest } = agent;
  const read = isZod(outputSchema) ? jsonSchemaOf(outputSchema) : { schema: outputSchema as JsonObject | undefined };
  const definition: AgentDefinition = {
    ...rest,
    ...(tools && { tools: toolNamesOf(tools) }),
    ...('schema' in read && read.schema && { outputSchema: read.schema }),
    ...(compaction !== undefined && { compaction: withNames(compaction) as Compaction }),
  };
  const problems = problemsOfAgent(definition);
  return { definition, problems: 'problem' in read ? [...problems, { path: 'outputSchema', message: read.problem }] : problems };
}

/** What is no list stays as it is, to be found wrong with everything else. */
function toolNamesOf(tools: NonNullable<Agent['tools']>): NonNullable<AgentDefinition['tools']> {
  if (!Array.isArray(tools)) return tools as never;
  return tools.map((tool: (typeof tools)[number]) => {
    if (isUse(tool)) return { ...tool, tool: nameOf(tool.tool), ...(tool.approval && { approval: withNames(tool.approval) }) } as never;
    if (isQuestion(tool)) return tool;
    if (typeof tool === 'string' || !isDelegate(tool)) return nameOf(tool as never);
    return 'agent' in tool ? { agent: nameOf(tool.agent) } : { orchestration: nameOf(tool.orchestration) };
  });
}

function isDelegate(tool: unknown): tool is { agent: Agent | string } | { orchestration: Orchestration | string } {
  return typeof tool === 'object' && tool !== null && ('agent' in tool || 'orchestration' in tool) && !('run' in tool);
}

/** A tool that is used in a way of the agent's own. */
function isUse(tool: unknown): tool is { tool: Tool | string; approval?: unknown } {
  return typeof tool === 'object' && tool !== null && 'tool' in tool && !('run' in tool);
}

function isQuestion(tool: unknown): tool is { person: true | QuestionOptions } {
  return typeof tool === 'object' && tool !== null && 'person' in tool && !('run' in tool);
}

function nameOf(value: { name: string } | string): string {
  return typeof value === 'string' ? value : value?.name;
}

function registerOrchestrations(orchestrations: readonly Found<Orchestration>[], agents: ReadonlyMap<string, AgentDefinition>) {
  const problems: Problem[] = [];
  const takeName = uniqueNames(problems);
  const definitions = new Map<string, OrchestrationDefinition>();
  const names = [...agents.keys(), ...orchestrations.flatMap(({ value }) => value?.name ?? [])];
  for (const { value: orchestration, path } of orchestrations) {
    if (typeof orchestration !== 'object' || orchestration === null) {
      problems.push({ path, message: `must be an orchestration made with defineOrchestration, not ${show(orchestration)}` });
      continue;
    }
    const { definition, problems: wrong } = toOrchestrationDefinition(orchestration);
    problems.push(...[...wrong, ...problemsOfOrchestration(definition, names)].map((problem) => within(path, problem)));
    takeName(definition.name, path);
    if (typeof definition.name === 'string') definitions.set(definition.name, definition);
  }
  return { definitions, problems };
}

/** An orchestration in plain JSON. */
function toOrchestrationDefinition(orchestration: Orchestration): { definition: OrchestrationDefinition; problems: Problem[] } {
  const { name, description, pattern, agents, limits, options, termination, input, output } = orchestration;
  const problems: Problem[] = [];
  const shape = (value: unknown, path: string): object | undefined => {
    const given = isZod(value) ? { schema: value } : (withNames(value) as { schema?: unknown } | undefined);
    if (!given || !isZod(given.schema)) return given;
    const read = jsonSchemaOf(given.schema);
    if ('problem' in read) problems.push({ path, message: read.problem });
    return { ...given, schema: 'schema' in read ? read.schema : {} };
  };
  const definition = {
    name,
    ...(description !== undefined && { description }),
    pattern,
    agents: namesOf(agents),
    ...(limits && { limits }),
    ...(options && { options: withNames(options) }),
    ...(termination && { termination: withNames(termination) }),
    ...(input && { input: shape(input, 'input') }),
    ...(output && { output: shape(output, 'output') }),
  } as OrchestrationDefinition;
  return { definition, problems };
}

function problemsOfOrchestration(definition: OrchestrationDefinition, known: string[]): Problem[] {
  const { name, pattern, agents, description: _, ...document } = definition;
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
  problems.push(...readRunInput(pattern, { ...document, task: 'any', agents }, { taskKept: true }).problems);
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

/** Tools as values. */
function toolValuesOf({ tools }: Agent): { value: Tool; at: number }[] {
  return listOf(tools).flatMap((given, at) => {
    const value = isUse(given) ? given.tool : given;
    return typeof value === 'string' || isDelegate(value) || isQuestion(value) ? [] : [{ value: value as Tool, at }];
  });
}

function listOf<T>(value: readonly T[] | undefined): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [];
}

function within(path: string, problem: Problem): Problem {
  return { ...problem, path: problem.path === '' ? path : `${path}.${problem.path}` };
}
