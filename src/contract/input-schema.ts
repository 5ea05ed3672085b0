/**
 * The public run input as zod schemas, and the one way to read it. Client, CLI and activities use it; the sandbox never imports
 * this file by value.
 */
import { z } from 'zod';
import { agentNamePattern } from './agent.js';
import { fail } from './failure.js';
import type { Span } from './json.js';
import { messageSchema, textSchema } from './message-schema.js';
import { patterns, type PatternName } from './pattern.js';
import { checkPlainJson } from './plain-json.js';
import { distinct, problemsFailure, problemsOfZod, show, type Problem } from './problems.js';
import type { RunInput } from './run.js';
import { list, isObject, jsonObject, strict } from './schema-words.js';
import { jsonBytes, sizes } from './size.js';
import { spanMs } from './span.js';
import { isUndecodable } from './undecodable.js';

/**
 * The run input of a pattern, checked: all problems at once. A pattern that is not on the menu has options and a number of
 * agents of its own; everything else is checked all the same.
 *
 * @throws `Input.Invalid` with every problem in its message and as `details[0]: Problem[]` · `Input.TooLarge`
 */
export function parseRunInput(pattern: string, value: unknown): RunInput {
  const { problems, input } = readRunInput(pattern, value);
  if (problems.length > 0) throw problemsFailure('The run input', problems);
  return input as RunInput;
}

/**
 * As `parseRunInput`, for those who list the problems of several documents.
 *
 * @throws `Input.TooLarge`
 */
export function readRunInput(pattern: string, value: unknown): { problems: Problem[]; input?: RunInput } {
  if (isUndecodable(value)) return { problems: [{ path: '', message: `cannot be decoded: ${value.reason}` }] };
  const notPlain = checkDocument(value);
  const result = inputSchema(pattern).safeParse(value);
  const wrong = result.success ? [] : problemsOfZod(result.error, value);
  const problems = distinct([...notPlain, ...wrong, ...(isObject(value) ? problemsOfTeam(pattern, value) : [])]);
  return problems.length === 0 && result.success ? { problems, input: result.data as RunInput } : { problems };
}

/** Problems of an agent's definition in plain JSON. */
export function problemsOfAgent(definition: unknown): Problem[] {
  const result = agentSchema.safeParse(definition);
  return distinct([...(result.success ? [] : problemsOfZod(result.error, definition)), ...repeatedTools(definition, '')]);
}

const nameError = 'must be a name: a letter, then letters, digits, _ or -, at most 64 characters';
const name = z.string(nameError).regex(agentNamePattern, nameError);
const modelError = 'must be the name of a model without spaces: "model" or "provider/model"';
const temperatureError = 'must be a number from 0 to 2';
const timeError = 'must be a span of time over 0: milliseconds, or words such as "90 seconds", at most ten years';
const conversationError = 'must be the workflow id of an earlier run';
const tenYears = 3650 * 86_400_000;

/** More would be a turn without end. */
const mostToolRounds = 1000;

function wholeNumber(most: number = Number.MAX_SAFE_INTEGER) {
  const error = most === Number.MAX_SAFE_INTEGER ? 'must be a whole number of at least 1' : `must be a whole number from 1 to ${most}`;
  return z.int(error).min(1, error).max(most, error);
}

const agentSchema = strict(
  {
    name,
    description: textSchema('a text').optional(),
    instructions: textSchema('a text that is not empty', /\S/),
    model: z
      .string(modelError)
      .regex(/^\S{1,200}$/, modelError)
      .optional(),
    tools: list(name, 'must be a list of names of tools').optional(),
    temperature: z.number(temperatureError).min(0, temperatureError).max(2, temperatureError).optional(),
    maxOutputTokens: wholeNumber().optional(),
    maxToolRounds: wholeNumber(mostToolRounds).optional(),
    outputSchema: jsonObject('must be a JSON schema').optional(),
  },
  'must be a definition of an agent: { "name", "instructions", … }',
);

const limitsSchema = strict(
  {
    turns: wholeNumber().optional(),
    tokens: wholeNumber().optional(),
    time: z.custom<Span>(isTime, timeError).optional(),
  },
  'must be an object with turns, tokens or time',
);

const said = z.union([textSchema('a text that is not empty', /\S/), messageSchema], 'must be a text or a message');
const agentError = 'must be the name of a registered agent, or a definition';

/** What the patterns on the menu may be told. */
const optionSchemas: { [P in PatternName]: z.ZodType } = {
  sequential: strict({}, 'must be an object'),
  session: strict({}, 'must be an object'),
};

const inputSchemas = new Map<string, z.ZodType>();

function inputSchema(pattern: string): z.ZodType {
  const key = isPattern(pattern) ? pattern : '';
  const schema = inputSchemas.get(key) ?? createInputSchema(isPattern(pattern) ? optionSchemas[pattern] : jsonObject('must be an object'));
  inputSchemas.set(key, schema);
  return schema;
}

function createInputSchema(options: z.ZodType) {
  return strict(
    {
      task: z
        .union([...said.options, list(said, 'must not be an empty list', 1)], 'must be a text, a message or a list of messages')
        .optional(),
      agents: list(z.union([name, agentSchema], agentError), 'must be a list of agents').optional(),
      options: options.optional(),
      limits: limitsSchema.optional(),
      conversation: z
        .string(conversationError)
        .regex(/^[^\p{Cc}]{1,1000}$/u, conversationError)
        .optional(),
      orchestration: name.optional(),
      state: z.unknown().optional(),
    },
    'must be a JSON object such as { "task": "…", "agents": ["…"] }',
  );
}

/** Size, depth and names of members. `state` is somebody else's to check: it only counts for the size. */
function checkDocument(value: unknown): Problem[] {
  if (!isObject(value)) return [];
  const { state, ...document } = value;
  const problems = checkPlainJson(document, sizes.input);
  if (problems === 'too large') throw tooLarge(`more than ${sizes.input}`);
  if (problems.length > 0) return problems;
  let bytes: number;
  try {
    bytes = jsonBytes(document) + jsonBytes(state);
  } catch {
    return [{ path: 'state', message: 'must be the serialized state of a run' }];
  }
  if (bytes > sizes.input) throw tooLarge(String(bytes));
  return [];
}

function tooLarge(bytes: string) {
  const message = `The run input has ${bytes} bytes as JSON; at most ${sizes.input} can be sent. Shorten it, or let an agent read the document with a tool.`;
  return fail('Input.TooLarge', message);
}

/** What only the whole document can tell: who is missing, too many, or there twice. */
function problemsOfTeam(pattern: string, input: Record<string, unknown>): Problem[] {
  const { task, agents, orchestration, state } = input;
  const dish = isPattern(pattern) ? patterns[pattern] : undefined;
  const problems: Problem[] = [];
  // A state brings task and agents along.
  if (dish && (state ?? null) === null) {
    if (dish.task === 'required' && (task ?? null) === null)
      problems.push({ path: 'task', message: 'is missing; it says what there is to do' });
    if ((agents ?? orchestration ?? null) === null) {
      problems.push({ path: 'agents', message: 'is missing; name registered agents, define them here, or name an orchestration' });
    }
  }
  if (!Array.isArray(agents)) return problems;
  if (dish && (agents.length < dish.agents.min || agents.length > dish.agents.max)) {
    const { min, max } = dish.agents;
    problems.push({ path: 'agents', message: `must hold ${min === max ? `exactly ${min}` : `${min} to ${max}`}, not ${agents.length}` });
  }
  const taken = new Map<string, number>();
  agents.slice(0, 1000).forEach((agent: unknown, i) => {
    const given = isObject(agent) ? agent.name : agent;
    problems.push(...repeatedTools(agent, `agents[${i}].`));
    if (typeof given !== 'string') return;
    const first = taken.get(given.toLowerCase());
    const path = isObject(agent) ? `agents[${i}].name` : `agents[${i}]`;
    if (first === undefined) taken.set(given.toLowerCase(), i);
    else
      problems.push({ path, message: `${show(given)} is the name of agents[${first}] already, capitals aside; every agent needs its own` });
  });
  return problems;
}

function repeatedTools(agent: unknown, at: string): Problem[] {
  if (!isObject(agent) || !Array.isArray(agent.tools)) return [];
  const tools: unknown[] = agent.tools.slice(0, 1000);
  return tools.flatMap((tool, i) => {
    const first = tools.indexOf(tool);
    return first === i ? [] : [{ path: `${at}tools[${i}]`, message: `${show(tool)} is there twice: tools[${first}] is the same` }];
  });
}

function isTime(span: unknown): boolean {
  const ms = spanMs(span);
  return ms !== undefined && ms > 0 && ms <= tenYears;
}

function isPattern(pattern: string): pattern is PatternName {
  return Object.hasOwn(patterns, pattern);
}
