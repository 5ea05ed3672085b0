/** What the schemas of an orchestration mean on the caller's side: a task is checked before it is sent, an output is read when it comes. */
import type { Orchestration } from '../agents/define-orchestration.js';
import { problemsOfJson } from '../contract/check-json.js';
import { fail } from '../contract/failure.js';
import { readRunInput } from '../contract/input-schema.js';
import type { Json } from '../contract/json.js';
import type { PatternName } from '../contract/pattern.js';
import { checkPlainJson } from '../contract/plain-json.js';
import { distinct, problemsFailure, problemsOfZod, type Problem } from '../contract/problems.js';
import type { RunInput, RunResult } from '../contract/run.js';
import { isObject, isZod, jsonSchemaOf } from '../contract/schema-words.js';
import { sizes } from '../contract/size.js';

/** Everything that a run of an orchestration may be told; its task is what its schema takes. */
export type TypedInput<P extends PatternName, Task> = Omit<RunInput<P>, 'task' | 'input' | 'output'> & {
  task?: unknown extends Task ? RunInput['task'] : Task;
};

/** What a run came to. The output has the form that was asked for when the run has completed; one that was ended has what it has. */
export type RunOutcome<Output = Json> =
  (RunResult<Output> & { status: 'completed' }) | (RunResult & { status: Exclude<RunResult['status'], 'completed'> });

/** The document that starts a run of an orchestration. @throws `Input.Invalid` with every problem */
export async function documentOf(what: Orchestration, input: RunInput): Promise<RunInput> {
  const isShaped = what.input !== undefined && input.input === undefined;
  const { task, problems: wrong } = isShaped ? await readTask(schemaOf(what.input), input.task) : { task: input.task, problems: [] };
  const document = { ...input, ...(task !== undefined && { task }), orchestration: what.name };
  const { input: read, problems } = readRunInput(what.pattern, document, { taskKept: isShaped });
  const all = distinct([...problems, ...wrong]);
  if (all.length > 0 || !read) throw problemsFailure('The run input', all);
  return read;
}

/** Reads an output by the orchestration's schema. @throws `Output.Invalid` */
export function outputReader(what: Orchestration): ((output: Json) => Promise<unknown>) | undefined {
  const { output: shape } = what;
  const schema = schemaOf(shape);
  // What a function has made of an output need not fit its schema any more.
  if (!isZod(schema) || (!isZod(shape) && shape?.transform !== undefined)) return undefined;
  return async (output) => {
    const read = await schema.safeParseAsync(output);
    if (read.success) return read.data;
    const problems = problemsOfZod(read.error, output);
    throw fail('Output.Invalid', problemsFailure('The output', problems).message, { final: true, details: [problems] });
  };
}

/**
 * As the schema reads it, with defaults filled in: that is sent where the schema takes it as a task, too. What it makes of a task beyond
 * that, such as a date, is nothing that travels: then the task is sent as given.
 */
async function readTask(schema: unknown, task: RunInput['task']): Promise<{ task: RunInput['task']; problems: Problem[] }> {
  if (schema === undefined || task === undefined || task === null) return { task, problems: [] };
  const json = isZod(schema) ? jsonSchemaOf(schema) : { schema };
  if ('problem' in json) return { task, problems: [{ path: 'input', message: json.problem }] };
  const form = isObject(json.schema) ? (json.schema as { [key: string]: Json }) : {};
  const read = isZod(schema) ? await schema.safeParseAsync(task) : undefined;
  if (read?.success && isJson(read.data) && problemsOfJson(read.data, form).length === 0) return { task: read.data, problems: [] };
  const wrong = [...problemsOfJson(task as Json, form), ...(read?.error ? problemsOfZod(read.error, task) : [])];
  return { task, problems: distinct(wrong).map(({ path, message }) => ({ path: inTask(path), message })) };
}

function isJson(value: unknown): value is Json {
  return value !== undefined && checkPlainJson(value, sizes.input).length === 0;
}

function inTask(path: string): string {
  return path === '' || path.startsWith('[') ? `task${path}` : `task.${path}`;
}

function schemaOf(shape: Orchestration['input'] | Orchestration['output']): unknown {
  return isZod(shape) ? shape : shape?.schema;
}
