/** Saved conditions and their states, side by side: where they do not fit. */
import { show } from '../contract/problems.js';
import { spanMs } from '../contract/span.js';
import { conditionBounds, type ConditionType } from '../contract/termination.js';
import { isObject, problemsOf, type Shape } from './shape.js';
import { mostCalls, pathTo } from './termination-leaf.js';

export const terminationShape: Shape = { fields: { version: 'count', startedAt: 'count', condition: 'object', root: 'object' } };

const mostProblems = 20;

/** As `termination.condition.conditions[1].max: …`. Takes anything, and is done with it after a bounded time. */
export function problemsOfTermination(value: unknown): string[] {
  const problems = problemsOf(value, terminationShape, 'termination', mostProblems);
  if (problems.length > 0 || !isObject(value)) return problems;
  if (value.version !== 1) return [`termination.version: expected 1, found ${show(value.version)}`];
  walkPair({ problems, count: 0 }, value.condition, value.root, '', 1);
  return problems.slice(0, mostProblems);
}

interface Walk {
  problems: string[];
  count: number;
}

const shapes: { [T in ConditionType]: Shape } = {
  maxMessages: { fields: { max: 'count' } },
  maxTurns: { fields: { max: 'count' } },
  textMention: {
    fields: {
      text: 'string',
      sources: { optional: { list: 'string' } },
      includeTask: { optional: 'boolean' },
      caseSensitive: { optional: 'boolean' },
    },
  },
  stopMessage: { fields: {} },
  handoffTo: { fields: { target: 'string' } },
  functionCall: { fields: { name: 'string' } },
  textMessage: { fields: { source: { optional: 'string' } } },
  source: { fields: { sources: { list: 'string' } } },
  tokenUsage: { fields: { total: { optional: 'count' }, input: { optional: 'count' }, output: { optional: 'count' } } },
  timeout: { fields: { after: 'any' } },
  external: { fields: {} },
  custom: { fields: { function: 'string' } },
  and: { fields: { conditions: { list: 'object' } } },
  or: { fields: { conditions: { list: 'object' } } },
};

const fired: Shape = {
  optional: { fields: { path: 'string', type: 'string', reason: 'string', at: 'string', turn: { optional: 'count' } } },
};

/** What the state of a condition may hold. */
const memories: { [T in ConditionType]?: { [member: string]: Shape } } = {
  maxMessages: { fired, count: { optional: 'count' } },
  functionCall: { fired, calls: { optional: { list: 'string' } } },
  and: { conditions: { list: 'object' } },
  or: { conditions: { list: 'object' } },
};

function walkPair(walk: Walk, condition: unknown, state: unknown, path: string, level: number): void {
  const { problems } = walk;
  if (problems.length >= mostProblems) return;
  const [given, kept] = ['condition', 'root'].map((member) => ['termination', member, path].filter((part) => part !== '').join('.'));
  const { levels, inAll, within } = conditionBounds;
  if (!isObject(condition)) return void problems.push(`${given}: expected an object`);
  const { type } = condition;
  if (!isType(type)) return void problems.push(`${given}.type: no condition is called ${show(type)}`);
  if (++walk.count > inAll) return void problems.push(`${given}: one more than ${inAll} conditions`);
  const wrong = [
    ...problemsOf(condition, shapes[type], given),
    ...(type === 'timeout' && spanMs(condition.after) === undefined ? [`${given}.after: expected a span of time`] : []),
    ...problemsOf(state, { fields: memories[type] ?? { fired } }, kept),
  ];
  problems.push(...wrong);
  if (wrong.length > 0 || !isObject(state)) return;
  problems.push(...contradictions(type, condition, state, path).map((problem) => `${kept}${problem}`));
  if (type !== 'and' && type !== 'or') return;
  const [conditions, states] = [condition.conditions as unknown[], state.conditions as unknown[]];
  if (conditions.length < 1 || conditions.length > within)
    return void problems.push(`${given}.conditions: expected 1 to ${within}, found ${conditions.length}`);
  if (conditions.length !== states.length)
    return void problems.push(`${kept}.conditions: expected ${conditions.length}, found ${states.length}`);
  if (level === levels) return void problems.push(`${given}.conditions: deeper than ${levels} levels`);
  for (const [i, inner] of conditions.entries()) walkPair(walk, inner, states[i], pathTo(path, i), level + 1);
}

/** What fits each for itself, and not together. */
function contradictions(type: ConditionType, condition: Record<string, unknown>, state: Record<string, unknown>, path: string): string[] {
  const problems: string[] = [];
  const stranger = Object.keys(state).find((member) => !Object.hasOwn(memories[type] ?? { fired }, member));
  if (stranger !== undefined) return [`: ${show(stranger)} is nothing that "${type}" remembers`];
  if (isObject(state.fired)) {
    if (state.fired.path !== path) problems.push(`.fired.path: expected ${show(path)}, found ${show(state.fired.path)}`);
    if (state.fired.type !== type) problems.push(`.fired.type: expected ${show(type)}, found ${show(state.fired.type)}`);
  } else if (type === 'maxMessages' && Number(state.count ?? 0) >= Number(condition.max)) {
    problems.push(`.count: ${show(state.count)} of ${show(condition.max)} were said, and it has not fired`);
  }
  if (Array.isArray(state.calls) && state.calls.length > mostCalls) problems.push(`.calls: more than ${mostCalls}`);
  return problems;
}

function isType(type: unknown): type is ConditionType {
  return typeof type === 'string' && Object.hasOwn(shapes, type);
}
