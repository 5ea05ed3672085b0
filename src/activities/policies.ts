/** How the calls of a reply are to be run: how long, how often, and whether a person is asked first. */
import { log as logger } from '@temporalio/activity';
import { z } from 'zod';
import type { RecordedAgent } from '../contract/agent.js';
import type { ApprovalOptions } from '../contract/approval.js';
import { asText, cutText } from '../contract/cut-text.js';
import type { Json, JsonObject } from '../contract/json.js';
import type { FunctionCall } from '../contract/message.js';
import { jsonBytes, sizes } from '../contract/size.js';
import type { CallPolicy } from '../contract/step.js';
import type { Tool, ToolPredicate } from '../tools/define-tool.js';
import { policyOf, type ToolRegistry } from '../tools/registry.js';

/** Calls a registered function. */
export type CallByName = (name: string, input: Json) => Promise<Json>;

export interface Reply {
  calls: readonly FunctionCall[];
  /** Ids of calls whose arguments are no JSON object. */
  broken: ReadonlySet<string>;
}

/** Whether an approval is needed is told in so much time, or it is. */
const longestPredicate = 5000;

/** Schemas of arguments are told to those who approve as long as there is room: a reply is recorded. */
const schemaBytes = 4 * 1024;
const allToldBytes = 128 * 1024;

/** Characters of large arguments that those who approve them are shown. */
const mostShown = 4 * 1024;
const tooLarge = '(too large to be shown here: see the transcript)';

/** By position; only where it differs from how calls are run by default. */
export async function policiesOf(
  tools: ToolRegistry,
  agent: RecordedAgent,
  { calls, broken }: Reply,
  callByName: CallByName,
): Promise<{ [index: number]: CallPolicy } | undefined> {
  const found = await Promise.all(
    calls.map(async (call): Promise<CallPolicy | undefined> => {
      const tool = tools.get(call.name);
      const rule = ruleOf(agent, tool, call.name);
      const asks = rule !== undefined && !broken.has(call.callId) && (await isNeeded(rule, tool, call.arguments, callByName));
      return policy(tool, rule, asks);
    }),
  );
  const isLarge = jsonBytes(calls) > sizes.entry / 2;
  let room = allToldBytes;
  const fitting = <T>(value: T | undefined, most: number): T | undefined => {
    const bytes = value === undefined ? Infinity : jsonBytes(value);
    if (bytes > Math.min(most, room)) return undefined;
    room -= bytes;
    return value;
  };
  const told = found.flatMap((given, index): [number, CallPolicy][] => {
    if (!given?.approval) return given ? [[index, given]] : [];
    const call = calls[index] as FunctionCall;
    const schema = fitting(schemaOf(agent, call.name), schemaBytes);
    const shown = isLarge ? (fitting(cutText(asText(call.arguments), mostShown), Infinity) ?? tooLarge) : undefined;
    return [[index, { ...given, approval: { ...given.approval, ...(schema && { schema }), ...(shown !== undefined && { shown }) } }]];
  });
  return told.length > 0 ? Object.fromEntries(told) : undefined;
}

/** The agent's own, then the tool's. Nobody has to approve what cannot be called. */
function ruleOf({ tools, approvals = {} }: RecordedAgent, tool: Tool | undefined, name: string): Rule | undefined {
  if (!tools.some((known) => known.name === name)) return undefined;
  if (Object.hasOwn(approvals, name)) return approvals[name];
  return tool?.approval === true ? {} : tool?.approval;
}

type Rule = ApprovalOptions<string | ToolPredicate>;

function policy(tool: Tool | undefined, rule: Rule | undefined, asks: boolean): CallPolicy | undefined {
  const { when: _, ...patience } = rule ?? {};
  const { assignee, role, remind } = patience;
  const onUnknown = tool?.retry === 'none' && (tool.onUnknownOutcome ?? (rule ? 'ask' : 'tell')) === 'ask';
  const own = tool && policyOf(tool);
  if (!own && !asks && !onUnknown) return undefined;
  return {
    ...own,
    ...(asks && { approval: patience }),
    ...(onUnknown && {
      onUnknownOutcome: {
        ...(assignee !== undefined && { assignee }),
        ...(role !== undefined && { role }),
        ...(remind !== undefined && { remind }),
      },
    }),
  };
}

/** Unless it is certain that it is not. Arguments that the tool refuses anyway need none. */
async function isNeeded({ when }: Rule, tool: Tool | undefined, given: JsonObject, callByName: CallByName): Promise<boolean> {
  try {
    return await inTime(longestPredicate, async () => {
      const parsed = tool ? await z.safeParseAsync(tool.input, given) : undefined;
      if (parsed && !parsed.success) return false;
      if (when === undefined) return true;
      return (typeof when === 'string' ? await callByName(when, given) : await when(parsed?.data as never)) !== false;
    });
  } catch (error) {
    logger.warn('Whether a call needs an approval could not be told, so it does.', { tool: tool?.name ?? '', error });
    return true;
  }
}

async function inTime<T>(ms: number, body: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It took more than ${ms} ms.`)), ms);
  });
  try {
    return await Promise.race([body(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What it refers to would be looked for in the schema of the answer. */
function schemaOf({ tools }: RecordedAgent, name: string): JsonObject | undefined {
  const schema = tools.find((tool) => tool.name === name)?.parameters;
  return schema && !JSON.stringify(schema).includes('"$ref"') ? schema : undefined;
}
