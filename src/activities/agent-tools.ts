/** What an agent may use becomes what its model is told, and what the run does when it is called. */
import type { AgentDefinition, NestedRun, RecordedAgent, TeamMember, ToolReference, ToolSpec } from '../contract/agent.js';
import type { ApprovalOptions } from '../contract/approval.js';
import { hint, show } from '../contract/problems.js';
import type { InputShape } from '../contract/run.js';
import type { ToolRegistry } from '../tools/registry.js';
import { delegateOf } from './delegates.js';
import { questionOf } from './question.js';

/** Whoever knows the names, and takes down those that nobody has. */
export interface House {
  tools: ToolRegistry;
  /** A member of its own, as a run. */
  asMember: (reference: Extract<ToolReference, { agent: unknown } | { orchestration: unknown }>, path: string) => Promise<Nestable[]>;
  needsFunction: (name: string, path: string) => void;
  unknown: (path: string, message: string) => void;
}

interface Nestable {
  member: TeamMember;
  input?: InputShape | undefined;
}

interface AgentTools extends Pick<RecordedAgent, 'tools' | 'approvals' | 'questions'> {
  delegates: { [call: string]: NestedRun };
}

export async function toolsOf(definition: AgentDefinition, path: string, house: House): Promise<AgentTools> {
  const tools: ToolSpec[] = [];
  const delegates: AgentTools['delegates'] = {};
  const approvals: NonNullable<AgentTools['approvals']> = {};
  const questions: NonNullable<AgentTools['questions']> = {};
  for (const [i, tool] of (definition.tools ?? []).entries()) {
    const at = `${path}.tools[${i}]`;
    if (typeof tool === 'string' || 'tool' in tool) {
      const { tool: name, approval } = typeof tool === 'string' ? { tool } : tool;
      const spec = specOf(name, at, house);
      if (spec) tools.push(spec);
      if (approval) approvals[name] = approval === true ? {} : approval;
      checkPredicate(approvals[name] ?? house.tools.get(name)?.approval, `${at}.approval.when`, house);
    } else if ('person' in tool) {
      const { spec, call, patience } = questionOf(tool.person);
      questions[call] = patience;
      tools.push(spec);
    } else {
      const found = await delegateIn(tool, at, house);
      if (!found) continue;
      delegates[found.spec.name] = found.delegate;
      tools.push(found.spec);
    }
  }
  const names = tools.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) house.unknown(`${path}.tools`, `two of them are called ${show(twice)}; leave one of them out`);
  return {
    tools,
    delegates,
    ...(Object.keys(approvals).length > 0 && { approvals }),
    ...(Object.keys(questions).length > 0 && { questions }),
  };
}

function specOf(name: string, at: string, { tools, unknown }: House): ToolSpec | undefined {
  const spec = tools.spec(name);
  if (!spec) unknown(at, `no tool is called ${show(name)} here; ${hint(name, tools.names())}`);
  return spec;
}

function checkPredicate(approval: true | ApprovalOptions<unknown> | undefined, path: string, { needsFunction }: House): void {
  if (approval && approval !== true && typeof approval.when === 'string') needsFunction(approval.when, path);
}

async function delegateIn(
  reference: Extract<ToolReference, { agent: unknown } | { orchestration: unknown }>,
  at: string,
  { asMember, unknown }: House,
): Promise<{ delegate: NestedRun; spec: ToolSpec } | undefined> {
  const where = 'agent' in reference ? 'agent' : 'orchestration';
  const [prepared] = await asMember(reference, `${at}.${where}`);
  if (!prepared) return undefined;
  if (!prepared.member.nested) {
    unknown(`${at}.orchestration`, `${show(prepared.member.name)} is an agent; write { "agent": … }`);
    return undefined;
  }
  const { delegate, spec, problem } = delegateOf(prepared.member.nested, prepared.member.description, prepared.input);
  if (problem !== undefined) unknown(at, problem);
  return { delegate, spec };
}
