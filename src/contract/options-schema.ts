/** What each pattern may be told, as zod schemas, and what of it has to fit its agents. Not for the sandbox. */
import { z } from 'zod';
import { agentReferenceSchema, nameSchema } from './agent-schema.js';
import { planReviewSchema, wordsSchema } from './answers.js';
import { magenticPromptNames } from './magentic-prompts.js';
import { textSchema } from './message-schema.js';
import { patience } from './patience-schema.js';
import type { PatternName } from './pattern.js';
import { hint, pathText, show, type Problem } from './problems.js';
import { isObject, list, strict, wholeNumber } from './schema-words.js';
import { expirySchema, spanSchema } from './span-schema.js';

const yes = z.boolean('must be true or false');
const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) => z.enum(words, `must be one of ${words.join(', ')}`);
const byName = <Value extends z.ZodType>(value: Value, error: string) => z.record(nameSchema, value, error);
const functionSchema = strict({ function: nameSchema }, 'must be { "function": … }');

/** An agent or a function, with more members. */
function decider<Shape extends z.ZodRawShape>(more: Shape, alternative?: string) {
  const error = `must be ${alternative ? `"${alternative}", ` : ''}{ "agent": … } or { "function": … }`;
  const shape = strict({ agent: agentReferenceSchema.optional(), function: nameSchema.optional(), ...more }, error);
  const one = shape.refine((value) => (isObject(value) ? Number('agent' in value) + Number('function' in value) === 1 : true), error);
  return alternative ? z.union([z.literal(alternative), one], error) : one;
}

const person = patience(['end', 'fail', 'continue'], wordsSchema);
const personError = 'must be true, false or an object such as { "timeout": "1 day" }';
const objectError = 'must be an object';
const label = z.string('must be a label').regex(/^[^\p{Cc}]{1,100}$/u, 'must be a label of 1 to 100 characters');

/** What the patterns on the menu may be told. */
export const optionSchemas: { [P in PatternName]: z.ZodType } = {
  sequential: strict(
    {
      contextMode: oneOf(['full', 'lastReply']).optional(),
      transforms: byName(nameSchema, 'must be names of functions, by agent').optional(),
    },
    objectError,
  ),
  concurrent: strict(
    {
      failurePolicy: z
        .union(
          [oneOf(['failFast', 'collect']), strict({ quorum: wholeNumber(100) }, 'must be { "quorum": … }')],
          'must be "failFast", "collect" or { "quorum": … }',
        )
        .optional(),
      memberTimeout: spanSchema.optional(),
      aggregator: decider({}, 'vote').optional(),
    },
    objectError,
  ),
  routing: strict(
    {
      classifier: decider({}),
      routes: z
        .record(
          label,
          z.union(
            [nameSchema, strict({ agent: nameSchema, description: textSchema('a text').optional() }, 'must be { "agent": … }')],
            'must be the name of an agent, or { "agent", "description" }',
          ),
          'must be agents, by label',
        )
        .refine((routes) => Object.keys(routes).length > 0, 'must hold at least one route'),
      default: nameSchema.optional(),
      match: oneOf(['first', 'all']).optional(),
    },
    objectError,
  ),
  handoff: strict(
    {
      start: nameSchema.optional(),
      handoffs: byName(
        z.union(
          [list(nameSchema, 'must be a list of agents'), byName(textSchema('a text'), 'must be descriptions, by agent')],
          'must be a list of agents, or descriptions by agent',
        ),
        'must be targets, by agent',
      ).optional(),
      completeTask: yes.optional(),
      maxTurns: wholeNumber(10_000).optional(),
      maxReturns: wholeNumber(10_000).optional(),
      autonomous: z
        .union(
          [
            yes,
            strict({ prompt: textSchema('a text that is not empty', /\S/).optional(), turns: wholeNumber(1000).optional() }, objectError),
          ],
          'must be true, false or { "prompt", "turns" }',
        )
        .optional(),
      person: z.union([yes, strict(person, personError)], personError).optional(),
      returnTo: oneOf(['previous', 'start']).optional(),
    },
    objectError,
  ),
  groupChat: strict(
    {
      manager: decider(
        {
          allowRepeat: yes.optional(),
          mayEnd: yes.optional(),
          attempts: wholeNumber(20).optional(),
          fallback: oneOf(['roundRobin', 'first', 'fail']).optional(),
        },
        'roundRobin',
      ).optional(),
      maxRounds: wholeNumber(10_000).optional(),
      terminate: functionSchema.optional(),
      person: z
        .union([yes, strict({ ...person, after: list(nameSchema, 'must be a list of agents', 1).optional() }, personError)], personError)
        .optional(),
      result: decider({}).optional(),
    },
    objectError,
  ),
  magentic: strict(
    {
      manager: strict({ agent: agentReferenceSchema }, 'must be { "agent": … }').optional(),
      maxRounds: wholeNumber(10_000).optional(),
      maxStalls: wholeNumber(1000, 0).optional(),
      maxResets: wholeNumber(1000, 0).optional(),
      planReview: z
        .union(
          [
            yes,
            strict(
              {
                ...patience(['approve', 'reject', 'fail'], planReviewSchema(false)),
                maxRevisions: wholeNumber(100, 0).optional(),
              },
              objectError,
            ),
          ],
          'must be true, false or { "timeout", "onTimeout", "maxRevisions" }',
        )
        .optional(),
      prompts: strict(
        Object.fromEntries(magenticPromptNames.map((prompt) => [prompt, textSchema('a text that is not empty', /\S/).optional()])),
        'must be texts, by the name of a prompt',
      ).optional(),
    },
    objectError,
  ),
  session: strict(
    {
      sleepAfter: spanSchema.optional(),
      expireAfter: expirySchema.optional(),
      whilePending: oneOf(['reject', 'queue', 'supersede']).optional(),
    },
    objectError,
    ['expireAfter'],
  ),
};

/** Names in options that nobody in the team has, and numbers that do not fit it. */
export function problemsOfOptions(pattern: PatternName, options: unknown, names: readonly string[]): Problem[] {
  if (pattern === 'routing' && options === undefined)
    return [{ path: 'options', message: 'is missing; it must say the classifier and the routes' }];
  if (!isObject(options)) return [];
  const problems: Problem[] = [];
  const expect = (name: unknown, ...path: PropertyKey[]) => {
    if (typeof name !== 'string' || names.includes(name)) return;
    problems.push({
      path: pathText(['options', ...path]),
      message: `names ${show(name)}, who is not among the agents; ${hint(name, names)}`,
    });
  };
  const entries = (value: unknown) => (isObject(value) ? Object.entries(value) : []);
  const items = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  for (const [name] of entries(options.transforms)) {
    expect(name, 'transforms', name);
    if (name === names[0])
      problems.push({
        path: pathText(['options', 'transforms', name]),
        message: 'is for the first agent, before whom nobody speaks; transform the task itself, with "input"',
      });
  }
  for (const [route, target] of entries(options.routes)) expect(isObject(target) ? target.agent : target, 'routes', route);
  expect(options.default, 'default');
  expect(options.start, 'start');
  for (const [from, targets] of entries(options.handoffs)) {
    expect(from, 'handoffs', from);
    const to = Array.isArray(targets) ? items(targets) : Object.keys(isObject(targets) ? targets : {});
    for (const [i, target] of to.entries()) {
      const path = ['handoffs', from, Array.isArray(targets) ? i : String(target)];
      expect(target, ...path);
      if (to.indexOf(target) < i) problems.push({ path: pathText(['options', ...path]), message: 'is there twice; leave one of them out' });
      if (target === from)
        problems.push({ path: pathText(['options', ...path]), message: 'is the agent itself; it cannot hand over to itself' });
    }
  }
  if (isObject(options.person)) for (const [i, name] of items(options.person.after).entries()) expect(name, 'person', 'after', i);
  const policy = options.failurePolicy;
  if (isObject(policy) && typeof policy.quorum === 'number' && policy.quorum > names.length)
    problems.push({ path: 'options.failurePolicy.quorum', message: `is ${policy.quorum}, and there are ${names.length} agents` });
  return problems;
}
