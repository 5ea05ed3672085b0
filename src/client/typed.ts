/** What the schemas of an orchestration mean on the caller's side: a task is checked before it is sent, an output is read when it comes. */
import type { Orchestration } from '../agents/define-orchestration.js';
import { fail } from '../contract/failure.js';
import { readRunInput } from '../contract/input-schema.js';
import type { Json } from '../contract/json.js';
import { problemsFailure, problemsOfZod } from '../contract/problems.js';
import type { RunInput } from '../contract/run.js';
import { isZod } from '../contract/schema-words.js';

/** The document that starts a run of an orchestration. @throws `Input.Invalid` with every problem */
export function documentOf(what: Orchestration, input: RunInput): RunInput {
  const schema = schemaOf(what.input);
  const { input: read, problems } = readRunInput(
    what.pattern,
    { ...input, orchestration: what.name },
    { taskKept: what.input !== undefined },
  );
  const parsed = schema && input.task !== undefined ? schema.safeParse(input.task) : undefined;
  const wrong = parsed && !parsed.success ? problemsOfZod(parsed.error, input.task) : [];
  const all = [...problems, ...wrong.map(({ path, message }) => ({ path: path === '' ? 'task' : `task.${path}`, message }))];
  if (all.length > 0 || !read) throw problemsFailure('The run input', all);
  return read;
}

/** Reads an output by the orchestration's schema. @throws `Output.Invalid` */
export function outputReader(what: Orchestration): ((output: Json) => unknown) | undefined {
  const schema = schemaOf(what.output);
  if (!schema) return undefined;
  return (output) => {
    const read = schema.safeParse(output);
    if (read.success) return read.data;
    throw fail('Output.Invalid', problemsFailure('The output', problemsOfZod(read.error, output)).message, { final: true });
  };
}

function schemaOf(shape: Orchestration['input'] | Orchestration['output']) {
  if (isZod(shape)) return shape;
  const schema = (shape as { schema?: unknown } | undefined)?.schema;
  // What a function has made of an output need not fit its schema any more.
  const isTransformed = (shape as { transform?: unknown } | undefined)?.transform !== undefined;
  return isZod(schema) && !isTransformed ? schema : undefined;
}
