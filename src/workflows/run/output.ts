/** What a run's output has to be: read from the last reply, asked of a model, transformed by a function. */
import { extractJson } from '../../contract/extract-json.js';
import { problemsOfJson } from '../../contract/check-json.js';
import { fail, failureOf } from '../../contract/failure.js';
import type { Json, JsonObject } from '../../contract/json.js';
import type { Problem } from '../../contract/problems.js';
import type { AnyRun } from './run.js';

/**
 * `undefined`: the last reply is the output. A run that was stopped has the output that it has; one that the pattern ended before it was
 * done has the form asked for only where that can be had.
 *
 * @throws `Output.Invalid` · `Function.Failed`
 */
export async function shapeOutput(run: AnyRun, told: Json | void): Promise<Json | undefined> {
  const { shape, stop } = run.state;
  const output = told ?? undefined;
  if (!shape || (stop && stop.code !== 'condition')) return output;
  if (run.ending && output === undefined && !run.state.output) return output;
  return await run.epilogue(async () => {
    try {
      const formed = await inForm(run, output);
      return shape.transform === undefined ? formed : await transformed(run, shape.transform, formed);
    } catch (error) {
      if (run.ending && failureOf(error).type === 'Output.Invalid') return output;
      throw error;
    }
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
  return read(output ?? lastWords(run), schema);
}

/** Without a form to be in, the last reply is what there is to transform: also where only its beginning is here. */
async function transformed(run: AnyRun, transform: string, formed: Json | undefined): Promise<Json> {
  const { output } = run.state;
  const words = formed === undefined && output?.artifact ? { words: output.artifact } : {};
  return await run.call(transform, formed === undefined ? (output?.text ?? null) : formed, words);
}

function lastWords({ state: { output } }: AnyRun): string {
  if (!output) throw invalid('nobody has spoken');
  if (output.artifact) throw invalid('the last reply is too long to be read as JSON');
  return output.text;
}

/** Words may be JSON, or hold it; else they may be what was asked for as they are. */
function read(value: Json, schema: JsonObject): Json {
  const json = typeof value === 'string' ? extractJson(value) : value;
  const readings = json === undefined ? [value] : [json, value];
  const fitting = readings.filter((reading) => problemsOfJson(reading, schema).length === 0);
  if (fitting.length > 0) return fitting[0] as Json;
  if (json === undefined && schema.type !== 'string') throw invalid('the last reply holds no JSON');
  const problems = problemsOfJson(json === undefined ? value : json, schema);
  throw invalid(problems.map(({ path, message }) => `${path || 'it'} ${message}`).join('; '), problems);
}

function invalid(reason: string, problems?: readonly Problem[]) {
  const message = `The output does not have the form that was asked for: ${reason}.`;
  return fail('Output.Invalid', message, { final: true, ...(problems && { details: [problems] }) });
}
