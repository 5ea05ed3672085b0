import type { AgentRegistry } from '../agents/registry.js';
import { fail } from '../contract/failure.js';
import { readRunInput } from '../contract/input-schema.js';
import { hint, problemsFailure, show, type Problem } from '../contract/problems.js';
import type { RunInput } from '../contract/run.js';
import type { LoadTeamInput, LoadTeamOutput, PreparedRun } from '../contract/step.js';
import type { Store } from '../store/store.js';
import { prepareRun, type PrepareDeps } from './prepare-run.js';
import { publishEvents } from './publish.js';

/**
 * The first step of every run: names become definitions, and these are recorded, so that a run keeps the agents it started with.
 * Safe to repeat: the same definitions have the same id.
 */
export function createLoadTeam(deps: PrepareDeps) {
  return async function loadTeam({ pattern, input, taskProblems = [], ...base }: LoadTeamInput): Promise<LoadTeamOutput> {
    await publishEvents(deps.store.events, base);
    if (input.nested) return await readPrepared(deps.store, input.nested.prepared);
    const read = readRunInput(pattern, input, { taskKept: true });
    // An orchestration may say how a task becomes messages: then it need not be one.
    const isShaped = input.orchestration !== undefined && deps.agents.orchestration(input.orchestration)?.input !== undefined;
    const problems = [...(isShaped ? [] : taskProblems), ...read.problems];
    if (!read.input || problems.length > 0) throw problemsFailure('The run input', problems);
    const unknown: Problem[] = [];
    const document = fill(read.input, pattern, deps.agents, unknown);
    const prepared = await prepareRun(pattern, document, deps, unknown);
    if (unknown.length > 0) throw problemsFailure('The run input', unknown, 'Input.UnknownAgent');
    return { ...prepared, ...(document.orchestration !== undefined && { orchestration: document.orchestration }) };
  };
}

/** The orchestration gives what the input leaves open; of options and limits, each by itself. */
function fill(input: RunInput, pattern: string, registry: AgentRegistry, unknown: Problem[]): RunInput {
  const { orchestration: name, ...given } = input;
  if (name === undefined) return input;
  const known = registry.orchestration(name);
  if (!known) {
    unknown.push({
      path: 'orchestration',
      message: `no orchestration is called ${show(name)} here; ${hint(name, registry.orchestrationNames())}`,
    });
    return input;
  }
  if (known.pattern !== pattern) {
    const message = `${show(name)} is an orchestration of the pattern "${known.pattern}"; start it as that, not as "${pattern}"`;
    throw problemsFailure('The run input', [{ path: 'orchestration', message }]);
  }
  const { termination, input: shape, output } = known;
  const filled = {
    ...(termination && { termination }),
    ...(shape && { input: shape }),
    ...(output && { output }),
    ...given,
    task: given.task ?? 'kept in the run',
    agents: given.agents ?? known.agents,
    options: { ...known.options, ...given.options },
    limits: { ...known.limits, ...given.limits },
  };
  const { input: read, problems } = readRunInput(pattern, filled, { taskKept: true });
  if (!read) throw problemsFailure('The run input', problems);
  return { ...read, orchestration: name };
}

async function readPrepared(store: Store, id: string): Promise<PreparedRun> {
  const text = await store.blobs.get(id);
  if (text !== undefined) return JSON.parse(text) as PreparedRun;
  throw fail('Store.Unavailable', `The store has no run ${id} that was prepared. Does this worker use the same store as the others?`);
}
