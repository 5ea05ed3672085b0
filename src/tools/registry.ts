/** The tools that a worker offers, by name. */
import { z } from 'zod';
import { agentNamePattern, type ToolSpec } from '../contract/agent.js';
import { approvalShape } from '../contract/patience-schema.js';
import { problemsFailure, problemsOfZod, show, type Problem } from '../contract/problems.js';
import { isObject, jsonSchemaOf, strict } from '../contract/schema-words.js';
import { spanMs } from '../contract/span.js';
import type { CallPolicy } from '../contract/step.js';
import type { Tool } from './define-tool.js';

export interface ToolRegistry {
  get(name: string): Tool | undefined;
  /** What a model is told about it. */
  spec(name: string): ToolSpec | undefined;
  names(): string[];
  /** Registers one more, or says why not. The same tool again is no problem. `path` is where it was found. */
  offer(tool: Tool, path: string): Problem[];
}

/**
 * Registers tools.
 *
 * @throws `Input.Invalid` with every problem: bad or taken names, inputs that have no JSON schema
 */
export function createToolRegistry(tools: readonly Tool[]): ToolRegistry {
  const entries = new Map<string, { tool: Tool; spec: ToolSpec; path: string }>();
  const seen = new Set<unknown>();

  const offer = (tool: Tool, path: string): Problem[] => {
    if (seen.has(tool)) return [];
    seen.add(tool);
    const read = readTool(tool, path);
    if ('problems' in read) return read.problems;
    const taken = [...entries.values()].find(({ spec }) => spec.name.toLowerCase() === read.spec.name.toLowerCase());
    if (taken)
      return [{ path: `${path}.name`, message: `${show(tool.name)} is the name of another tool, ${taken.path}; rename one of them` }];
    entries.set(tool.name, { tool, spec: read.spec, path });
    return [];
  };

  const problems = tools.flatMap((tool, i) => offer(tool, `tools[${i}]`));
  if (problems.length > 0) throw problemsFailure('The registration of tools', problems);
  return {
    get: (name) => entries.get(name)?.tool,
    spec: (name) => entries.get(name)?.spec,
    names: () => [...entries.keys()],
    offer,
  };
}

/** How a tool wants to be run; `undefined`: as tools are run by default. */
export function policyOf(tool: Tool): CallPolicy | undefined {
  const timeoutMs = tool.timeout === undefined ? undefined : spanMs(tool.timeout);
  const attempts = tool.retry === 'none' ? 1 : tool.retry;
  if (timeoutMs === undefined && attempts === undefined) return undefined;
  return { ...(timeoutMs !== undefined && { timeoutMs }), ...(attempts !== undefined && { attempts }) };
}

function readTool(tool: Tool, path: string): { spec: ToolSpec } | { problems: Problem[] } {
  if (typeof tool !== 'object' || tool === null)
    return { problems: [{ path, message: `must be a tool made with defineTool, not ${show(tool)}` }] };
  const problems: Problem[] = [];
  const expect = (holds: boolean, member: keyof Tool, requirement: string) => {
    if (!holds) problems.push({ path: `${path}.${member}`, message: `must be ${requirement}, not ${show(tool[member])}` });
  };
  const { name, description, run, timeout, retry, approval, onUnknownOutcome } = tool as { [Member in keyof Tool]: unknown };
  expect(typeof name === 'string' && agentNamePattern.test(name), 'name', 'a letter, then letters, digits, _ or -, at most 64 characters');
  expect(typeof description === 'string' && description.trim() !== '', 'description', 'a text that tells the model when to use it');
  expect(typeof run === 'function', 'run', 'a function');
  expect(timeout === undefined || (spanMs(timeout) ?? 0) > 0, 'timeout', 'a span of time over 0, such as "30 seconds"');
  expect(retry === undefined || retry === 'none' || isAttempts(retry), 'retry', `'none' or a number of attempts from 1 to 100`);
  expect([undefined, 'tell', 'ask'].includes(onUnknownOutcome as never), 'onUnknownOutcome', `'tell' or 'ask'`);
  problems.push(...problemsOfApproval(approval, `${path}.approval`));
  const read = jsonSchemaOf(tool.input);
  if ('problem' in read) problems.push({ path: `${path}.input`, message: read.problem });
  else if (read.schema.type !== 'object')
    problems.push({ path: `${path}.input`, message: 'must be an object schema: wrap it in z.object({ … })' });
  if (problems.length > 0 || 'problem' in read) return { problems };
  return { spec: { name: tool.name, description: tool.description, parameters: read.schema } };
}

const approvalError = 'must be true or an object such as { "assignee": "ann", "timeout": "1 day" }';
const approvalSchema = strict(
  { ...approvalShape, when: z.any().refine(isPredicate, 'must be a function, or the name of one').optional() },
  approvalError,
);

function problemsOfApproval(approval: unknown, path: string): Problem[] {
  if (approval === undefined || approval === true) return [];
  if (!isObject(approval)) return [{ path, message: `${approvalError}, not ${show(approval)}` }];
  const result = approvalSchema.safeParse(approval);
  if (result.success) return [];
  return problemsOfZod(result.error, approval).map((problem) => ({
    ...problem,
    path: problem.path === '' ? path : `${path}.${problem.path}`,
  }));
}

function isPredicate(when: unknown): boolean {
  return typeof when === 'function' || (typeof when === 'string' && agentNamePattern.test(when));
}

function isAttempts(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 100;
}
