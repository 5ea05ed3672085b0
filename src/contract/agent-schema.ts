/** Who takes turns, as zod schemas: agents, orchestrations as members, tools by name. Not for the sandbox. */
import { z } from 'zod';
import { agentNamePattern } from './agent.js';
import { textSchema } from './message-schema.js';
import { approvalShape, questionShape, reviewShape } from './patience-schema.js';
import { patternNames } from './pattern.js';
import { distinct, problemsOfZod, show, type Problem } from './problems.js';
import { chosen, isObject, jsonObject, list, strict, wholeNumber, withoutNulls } from './schema-words.js';
import { expirySchema } from './span-schema.js';

/** Problems of an agent's definition in plain JSON. */
export function problemsOfAgent(definition: unknown): Problem[] {
  const result = agentSchema.safeParse(definition);
  return distinct([...(result.success ? [] : problemsOfZod(result.error, definition)), ...repeatedTools(definition, '')]);
}

const nameError = 'must be a name: a letter, then letters, digits, _ or -, at most 64 characters';
export const nameSchema = z.string(nameError).regex(agentNamePattern, nameError);

const modelError = 'must be the name of a model without spaces: "model" or "provider/model"';
const temperatureError = 'must be a number from 0 to 2';

/** More would be a turn without end. */
const mostToolRounds = 1000;

const toolError = 'must be the name of a tool, { "tool": … }, { "agent": … }, { "orchestration": … } or { "person": … }';
const delegateError = 'must be { "agent": … } or { "orchestration": … }';
const approvalError = 'must be true or an object such as { "assignee": "ann", "timeout": "1 day" }';
const approval = strict({ ...approvalShape, when: nameSchema.optional() }, approvalError);
const question = strict({ ...questionShape, name: nameSchema.optional(), description: textSchema('a text').optional() }, approvalError);
const trueOr = (schema: z.ZodType) => chosen((value) => (isObject(value) ? schema : z.literal(true, approvalError)));

const toolSchema: z.ZodType = z.lazy(() =>
  chosen((value) => {
    if (isObject(value) && 'tool' in value) return strict({ tool: nameSchema, approval: trueOr(approval).optional() }, toolError);
    if (isObject(value) && 'person' in value) return strict({ person: trueOr(question) }, toolError);
    if (isObject(value) && 'agent' in value) return strict({ agent: agentReferenceSchema }, delegateError);
    if (isObject(value) && 'orchestration' in value) return strict({ orchestration: orchestrationReferenceSchema }, delegateError);
    return isObject(value) ? z.never(toolError) : nameSchema;
  }),
);

const modelSchema = z.string(modelError).regex(/^\S{1,200}$/, modelError);

const compactionError = 'must be { "keepLast" }, { "tokens" }, { "summary": { "over", … } } or { "function", "over", … }';
const threshold = { over: wholeNumber(), keepLast: wholeNumber().optional() };
const summarySchema = strict(
  { ...threshold, model: modelSchema.optional(), instructions: textSchema('a text that is not empty', /\S/).optional() },
  'must be { "over", … }',
);
const compactionKinds: [member: string, schema: z.ZodType][] = [
  ['tokens', strict({ tokens: wholeNumber() }, compactionError)],
  ['summary', strict({ summary: summarySchema }, compactionError)],
  ['function', strict({ function: nameSchema, ...threshold }, compactionError)],
  ['keepLast', strict({ keepLast: wholeNumber() }, compactionError)],
];
const compactionSchema = chosen((value) => {
  const given = withoutNulls(value);
  const [, schema] = compactionKinds.find(([member]) => isObject(given) && member in given) ?? [];
  return schema ?? z.never(compactionError);
});

const reviewError = 'must be true, false or an object such as { "role": "editor", "timeout": "3 days" }';

export const agentSchema = strict(
  {
    name: nameSchema,
    description: textSchema('a text').optional(),
    instructions: textSchema('a text that is not empty', /\S/),
    model: modelSchema.optional(),
    tools: list(toolSchema, 'must be a list of tools').optional(),
    handoffs: list(nameSchema, 'must be a list of names of agents').optional(),
    temperature: z.number(temperatureError).min(0, temperatureError).max(2, temperatureError).optional(),
    maxOutputTokens: wholeNumber().optional(),
    maxToolRounds: wholeNumber(mostToolRounds).optional(),
    outputSchema: jsonObject('must be a JSON schema').optional(),
    compaction: compactionSchema.optional(),
    review: chosen((value) => (isObject(value) ? strict(reviewShape, reviewError) : z.boolean(reviewError))).optional(),
    expireAfter: expirySchema.optional(),
  },
  'must be a definition of an agent: { "name", "instructions", … }',
  ['expireAfter'],
);

export const agentReferenceSchema = z.union([nameSchema, agentSchema], 'must be the name of a registered agent, or a definition');

const memberError = 'must be the name of a registered agent or orchestration, or a definition of one';

/** A definition with a pattern is an orchestration's. What its options hold is looked at when its whole document is. */
export const memberSchema: z.ZodType = z.lazy(() =>
  chosen((value) => (isObject(value) && 'pattern' in value ? nestedSchema : z.union([nameSchema, agentSchema], memberError))),
);

const orchestrationReferenceSchema: z.ZodType = z.lazy(() =>
  z.union([nameSchema, nestedSchema], 'must be the name of an orchestration, or a definition'),
);

const patternError = `must be one of ${patternNames.join(', ')}`;
const nestedSchema: z.ZodType = z.lazy(() =>
  strict(
    {
      name: nameSchema,
      description: textSchema('a text').optional(),
      pattern: z.enum(patternNames as [string, ...string[]], patternError),
      agents: list(memberSchema, 'must be a list of agents', 1),
      options: jsonObject('must be an object').optional(),
      limits: jsonObject('must be an object').optional(),
      termination: jsonObject('must be a condition').optional(),
      input: jsonObject('must be an object').optional(),
      output: jsonObject('must be an object').optional(),
    },
    'must be a definition of an orchestration: { "name", "pattern", "agents", … }',
  ),
);

export function repeatedTools(agent: unknown, at: string): Problem[] {
  if (!isObject(agent) || !Array.isArray(agent.tools)) return [];
  const tools: unknown[] = agent.tools.slice(0, 1000);
  return tools.flatMap((tool, i) => {
    const first = tools.indexOf(tool);
    return first === i ? [] : [{ path: `${at}tools[${i}]`, message: `${show(tool)} is there twice: tools[${first}] is the same` }];
  });
}
