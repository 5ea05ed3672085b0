/** What code gives as values where a document has names: finds them, and puts names in their places. */
import { isFunction, type RegisteredFunction } from '../functions/define-function.js';
import type { Agent } from './define-agent.js';
import { isAgent } from './define-agent.js';
import type { Orchestration } from './define-orchestration.js';

export interface Found<T> {
  value: T;
  path: string;
}

export interface Values {
  agents: Found<Agent>[];
  orchestrations: Found<Orchestration>[];
  functions: Found<RegisteredFunction>[];
}

/** Everything that agents and orchestrations hold as values, at any depth, themselves included. */
export function collectValues(agents: readonly Agent[], orchestrations: readonly Orchestration[]): Values {
  const values: Values = { agents: [], orchestrations: [], functions: [] };
  const seen = new Set<unknown>();
  const isNew = (value: unknown) => typeof value !== 'object' || value === null || (!seen.has(value) && Boolean(seen.add(value)));

  const addAgent = (value: Agent, path: string): void => {
    if (!isNew(value)) return;
    values.agents.push({ value, path });
    for (const [i, tool] of listOf(value?.tools).entries()) {
      if (isMember(tool, 'tool')) search((tool as { approval?: unknown }).approval, `${path}.tools[${i}].approval`);
      if (!isMember(tool, 'agent') && !isMember(tool, 'orchestration')) continue;
      const inner = 'agent' in tool ? tool.agent : tool.orchestration;
      if (typeof inner === 'object') addMember(inner as Agent | Orchestration, `${path}.tools[${i}]`);
    }
    search(value?.compaction, `${path}.compaction`);
  };
  const addOrchestration = (value: Orchestration, path: string): void => {
    if (!isNew(value)) return;
    values.orchestrations.push({ value, path });
    if (typeof value !== 'object' || value === null) return;
    for (const [i, member] of listOf(value.agents).entries()) if (typeof member !== 'string') addMember(member, `${path}.agents[${i}]`);
    for (const part of ['options', 'termination', 'input', 'output'] as const) search(value[part], `${path}.${part}`);
  };
  const addMember = (value: Agent | Orchestration, path: string): void => {
    if (isOrchestration(value)) addOrchestration(value, path);
    else addAgent(value, path);
  };
  const search = (value: unknown, path: string): void => {
    if (isAgent(value)) addAgent(value, path);
    else if (isFunction(value)) values.functions.push({ value, path });
    else for (const [key, inner] of membersOf(value)) search(inner, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`);
  };
  agents.forEach((agent, i) => addAgent(agent, `agents[${i}]`));
  orchestrations.forEach((orchestration, i) => addOrchestration(orchestration, `orchestrations[${i}]`));
  return values;
}

/** The same with names instead of agents and functions. */
export function withNames(value: unknown): unknown {
  if (isAgent(value) || isFunction(value)) return value.name;
  if (Array.isArray(value)) return value.map(withNames);
  const members = membersOf(value);
  return members.length > 0 ? Object.fromEntries(members.map(([key, inner]) => [key, withNames(inner)])) : value;
}

export function isOrchestration(value: unknown): value is Orchestration {
  return typeof value === 'object' && value !== null && 'pattern' in value;
}

function isMember<K extends string>(value: unknown, key: K): value is { [key in K]: unknown } {
  return typeof value === 'object' && value !== null && key in value && !('run' in value);
}

/** Of plain objects and lists; what else there is stays whole. */
function membersOf(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [];
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? Object.entries(value) : [];
}

function listOf<T>(value: readonly T[] | undefined): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [];
}
