/** What a run's output has to be: read from the last reply, asked of a model, transformed by a function. */
import { extractJson } from '../../contract/extract-json.js';
import { problemsOfJson } from '../../contract/check-json.js';
import { fail } from '../../contract/failure.js';
import type { Json, JsonObject } from '../../contract/json.js';
import type { Problem } from '../../contract/problems.js';
import type { AnyRun } from './run.js';

/**
 * `undefined`: the last reply is the output. A run that was stopped has the output that it has.
 *
 * @throws `Output.Invalid` · `Function.Failed`
 */
export async function shapeOutput(run: AnyRun, told: Json | void): Promise<Json | undefined> {
  const { shape, stop } = run.state;
  const output = told ?? undefined;
  if (!shape || run.ending || (stop && stop.code !== 'condition')) return output;
  return await run.epilogue(async () => {
    const formed = await inForm(run, output);
    return shape.transform === undefined ? formed : await run.call(shape.transform, formed ?? run.state.output?.text ?? null);
  });
}

async function inForm(run: AnyRun, output: Json | undefined): Promise<Json | undefined> {
  const { schema, agent } = run.state.shape ?? {};
  if (!schema) return output;
  if (agent !== undefined) {
    const question = 'Give the result of this conversation.';
    const orElse = (problem: string): never => {
      throw invalid(`${agent} gave none that fits: ${problem}`);
    };
    return await run.ask(agent, { about: 'the output', question, schema, orElse });
  }
  return fitting(output ?? readReply(run), schema);
}

function readReply({ state: { output } }: AnyRun): Json {
  if (!output) throw invalid('nobody has spoken');
  if (output.artifact) throw invalid('the last reply is too long to be read as JSON');
  const json = extractJson(output.text);
  if (json === undefined) throw invalid(`the last reply holds no JSON: "${output.text.slice(0, 200)}"`);
  return json;
}

function fitting(value: Json, schema: JsonObject): Json {
  const problems = problemsOfJson(value, schema);
  if (problems.length > 0) throw invalid(listed(problems));
  return value;
}

function listed(problems: readonly Problem[]): string {
  return problems.map(({ path, message }) => `${path || 'it'} ${message}`).join('; ');
}

function invalid(reason: string) {
  return fail('Output.Invalid', `The output does not have the form that was asked for: ${reason}.`, { final: true });
}
