/**
 * The public run input as zod schemas, and the one way to read it. Client, CLI and activities use it; the sandbox never imports
 * this file by value.
 */
import { z } from 'zod';
import { agentReferenceSchema, memberSchema, nameSchema, repeatedTools } from './agent-schema.js';
import { problemsOfJson } from './check-json.js';
import { fail } from './failure.js';
import type { Json } from './json.js';
import { problemsOfSchema } from './json-shape-problems.js';
import { messageSchema, textSchema } from './message-schema.js';
import { optionSchemas, problemsOfOptions } from './options-schema.js';
import { patterns, type PatternName } from './pattern.js';
import { checkPlainJson } from './plain-json.js';
import { distinct, problemsFailure, problemsOfZod, show, type Problem } from './problems.js';
import type { RunInput } from './run.js';
import { isObject, jsonObject, list, strict, wholeNumber } from './schema-words.js';
import { spanSchema } from './span-schema.js';
import { jsonBytes, sizes } from './size.js';
import { terminationSchema } from './termination-schema.js';
import { isUndecodable } from './undecodable.js';

export { problemsOfAgent } from './agent-schema.js';

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
 * @param options.taskKept the task is somewhere else, and was or will be read there
 * @throws `Input.TooLarge`
 */
export function readRunInput(
  pattern: string,
  value: unknown,
  { taskKept = false }: { taskKept?: boolean } = {},
): { problems: Problem[]; input?: RunInput } {
  if (isUndecodable(value)) return { problems: [{ path: '', message: `cannot be decoded: ${value.reason}` }] };
  const notPlain = checkDocument(value);
  // An orchestration may have an `input`, too: whoever knows it reads the task.
  const hasInput = isObject(value) && ((value.input ?? null) !== null || (value.orchestration ?? null) !== null);
  const result = inputSchema(pattern, taskKept || hasInput).safeParse(value);
  const wrong = result.success ? [] : problemsOfZod(result.error, value);
  const more =
    isObject(value) && notPlain.length === 0 ? [...problemsOfDocument(pattern, value), ...(taskKept ? [] : problemsOfTask(value))] : [];
  const problems = distinct([...notPlain, ...wrong, ...more]);
  return problems.length === 0 && result.success ? { problems, input: result.data as RunInput } : { problems };
}

const conversationError = 'must be the workflow id of an earlier run';

const stateError = 'must be the text of a document, or its id in the store';
const snapshotError = 'must be the id of a snapshot, 32 characters from 0 to f';

const snapshotsSchema = strict({ every: wholeNumber().optional(), keep: wholeNumber().optional() }, 'must be an object with every or keep');

const limitsSchema = strict(
  { turns: wholeNumber().optional(), tokens: wholeNumber().optional(), time: spanSchema.optional() },
  'must be an object with turns, tokens or time',
);

const schemaError = 'must be a JSON schema';
const inputShapeSchema = strict(
  { schema: jsonObject(schemaError).optional(), transform: nameSchema.optional() },
  'must be an object with schema or transform',
);
const outputShapeSchema = strict(
  {
    schema: jsonObject(schemaError).optional(),
    from: z.enum(['reply', 'conversation'], 'must be "reply" or "conversation"').optional(),
    agent: agentReferenceSchema.optional(),
    transform: nameSchema.optional(),
  },
  'must be an object with schema or transform',
);

const said = z.union([textSchema('a text that is not empty', /\S/), messageSchema], 'must be a text or a message');

const inputSchemas = new Map<string, z.ZodType>();

function inputSchema(pattern: string, anyTask: boolean): z.ZodType {
  const key = `${isPattern(pattern) ? pattern : ''}/${anyTask}`;
  const schema =
    inputSchemas.get(key) ?? createInputSchema(isPattern(pattern) ? optionSchemas[pattern] : jsonObject('must be an object'), anyTask);
  inputSchemas.set(key, schema);
  return schema;
}

function createInputSchema(options: z.ZodType, anyTask: boolean) {
  const task = z.union([...said.options, list(said, 'must not be an empty list', 1)], 'must be a text, a message or a list of messages');
  return strict(
    {
      task: anyTask ? z.unknown().optional() : task.optional(),
      agents: list(memberSchema, 'must be a list of agents').optional(),
      options: options.optional(),
      limits: limitsSchema.optional(),
      termination: terminationSchema.optional(),
      input: inputShapeSchema.optional(),
      output: outputShapeSchema.optional(),
      conversation: z
        .string(conversationError)
        .regex(/^[^\p{Cc}]{1,1000}$/u, conversationError)
        .optional(),
      orchestration: nameSchema.optional(),
      states: z.record(nameSchema, z.string(stateError).min(1, stateError), 'must be an object of documents by agent').optional(),
      snapshot: z
        .string(snapshotError)
        .regex(/^[0-9a-f]{32}$/, snapshotError)
        .optional(),
      override: z.boolean('must be true or false').optional(),
      snapshots: snapshotsSchema.optional(),
      sleepAfter: z.union([z.literal('never'), spanSchema], 'must be "never" or a span of time over 0 such as "1 hour"').optional(),
      state: z.unknown().optional(),
      nested: z.unknown().optional(),
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
function problemsOfDocument(pattern: string, input: Record<string, unknown>): Problem[] {
  const { task, agents, orchestration, state, snapshot } = input;
  const dish = isPattern(pattern) ? patterns[pattern] : undefined;
  const problems: Problem[] = [];
  // A state brings task and agents along, and so does a snapshot.
  if (dish && (state ?? snapshot ?? null) === null) {
    if (dish.task === 'required' && (task ?? null) === null)
      problems.push({ path: 'task', message: 'is missing; it says what there is to do' });
    if ((agents ?? orchestration ?? null) === null) {
      problems.push({ path: 'agents', message: 'is missing; name registered agents, define them here, or name an orchestration' });
    }
  }
  problems.push(...problemsOfShapes(input));
  if (!Array.isArray(agents)) return problems;
  return [...problems, ...problemsOfTeam(pattern, agents, input.options, 'agents')];
}

/** Members as given, and of orchestrations among them theirs. */
function problemsOfTeam(pattern: string, agents: readonly unknown[], options: unknown, at: string): Problem[] {
  const problems: Problem[] = [];
  const dish = isPattern(pattern) ? patterns[pattern] : undefined;
  if (dish && (agents.length < dish.agents.min || agents.length > dish.agents.max)) {
    const { min, max } = dish.agents;
    problems.push({ path: at, message: `must hold ${min === max ? `exactly ${min}` : `${min} to ${max}`}, not ${agents.length}` });
  }
  const taken = new Map<string, number>();
  agents.slice(0, 1000).forEach((agent: unknown, i) => {
    const given = isObject(agent) ? agent.name : agent;
    problems.push(...repeatedTools(agent, `${at}[${i}].`));
    if (isObject(agent) && isPattern(agent.pattern)) problems.push(...problemsOfNested(agent.pattern, agent, `${at}[${i}]`));
    if (typeof given !== 'string') return;
    const first = taken.get(given.toLowerCase());
    const path = isObject(agent) ? `${at}[${i}].name` : `${at}[${i}]`;
    if (first === undefined) taken.set(given.toLowerCase(), i);
    else
      problems.push({ path, message: `${show(given)} is the name of ${at}[${first}] already, capitals aside; every agent needs its own` });
  });
  const names = agents.slice(0, 1000).flatMap((agent) => {
    const name = isObject(agent) ? agent.name : agent;
    return typeof name === 'string' ? [name] : [];
  });
  if (isPattern(pattern)) problems.push(...problemsOfOptions(pattern, options ?? undefined, names));
  return problems;
}

/** An orchestration as a member is a document of its own, whose task comes from the run around it. */
function problemsOfNested(
  pattern: PatternName,
  { name: _, description: __, pattern: ___, ...document }: Record<string, unknown>,
  at: string,
) {
  const { problems } = readRunInput(pattern, { ...document, task: 'from outside' }, { taskKept: true });
  return problems.map(({ path, message }) => ({ path: path === '' ? at : `${at}.${path}`, message }));
}

function problemsOfShapes({ input, output }: Record<string, unknown>): Problem[] {
  const of = (shape: unknown, path: string) =>
    isObject(shape) && (shape.schema ?? null) !== null
      ? problemsOfSchema(shape.schema).map((problem) => ({ ...problem, path: [path, problem.path].filter(Boolean).join('.') }))
      : [];
  const problems = [...of(input, 'input.schema'), ...of(output, 'output.schema')];
  if (isObject(output) && output.from === 'conversation' && (output.schema ?? null) === null)
    problems.push({ path: 'output.schema', message: 'is missing; with "from": "conversation" it says what is asked for' });
  return problems;
}

/** With `input`, a task is whatever its schema says. */
function problemsOfTask({ task, input }: Record<string, unknown>): Problem[] {
  if (!isObject(input) || !isObject(input.schema) || (task ?? null) === null || problemsOfSchema(input.schema).length > 0) return [];
  return problemsOfJson(task as Json, input.schema as never).map(({ path, message }) => ({
    path: path === '' || path.startsWith('[') ? `task${path}` : `task.${path}`,
    message,
  }));
}

function isPattern(pattern: unknown): pattern is PatternName {
  return typeof pattern === 'string' && Object.hasOwn(patterns, pattern);
}
