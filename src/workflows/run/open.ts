/** How a run begins: from a document, or from the state that continue-as-new handed on. */
import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import { fail, failureOf } from '../../contract/failure.js';
import { checkTask } from '../../contract/guards.js';
import { problemsOfJson } from '../../contract/check-json.js';
import type { Json, JsonObject } from '../../contract/json.js';
import type { Message } from '../../contract/message.js';
import { checkPlainJson, isTooDeep } from '../../contract/plain-json.js';
import { problemsFailure } from '../../contract/problems.js';
import type { InputShape, NestedStart, RunInput } from '../../contract/run.js';
import { spanMs } from '../../contract/span.js';
import { sizes, utf8Bytes } from '../../contract/size.js';
import { noUsage } from '../../contract/transcript.js';
import { isUndecodable } from '../../contract/undecodable.js';
import { readState } from '../../state/read-state.js';
import { currentStateVersion, type RunState } from '../../state/run-state.js';
import { isObject, problemsOf, type Shape } from '../../state/shape.js';
import { openTermination } from '../../state/termination.js';
import { adoptConversation, loadTeam, stepFailure } from './activities.js';
import { bring } from './bring.js';
import { goOn, resume } from './go-on.js';
import { takeEarlyStop } from './inbox.js';
import type { AnyRun } from './run.js';
import { wake } from './sleep.js';
import { slumber } from './sleeper.js';
import { showRun } from './visibility.js';

/**
 * The state to begin with and, for an input that nobody can use, why: the run then fails, but still answers questions.
 * Synchronous, so that handlers can be registered before anything is awaited.
 */
export function openState(pattern: string, input: unknown, progress: object): { state: RunState; refusal?: ApplicationFailure } {
  try {
    return { state: stateOf(pattern, input, progress) };
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    return { state: newState(pattern, progress), refusal: error };
  }
}

function stateOf(pattern: string, input: unknown, progress: object): RunState {
  if (isUndecodable(input)) throw fail('Input.Invalid', `The run's input cannot be decoded: ${input.reason}. Send one JSON document.`);
  if (!isObject(input)) {
    throw fail('Input.Invalid', `A ${pattern} run takes one JSON document such as {"task": "…", "agents": ["…"]}.`);
  }
  if (input.state === undefined) {
    checkDocument(input);
    if (input.nested === undefined) return newState(pattern, progress);
    if (input.conversation !== undefined && input.conversation !== null)
      throw fail('Input.Invalid', 'A nested run goes on with no other conversation.');
    return { ...newState(pattern, progress), nested: originOf(input.nested) };
  }
  if (isTooDeep(input.state))
    throw fail('State.Unreadable', 'The saved state is nested too deep to be ours; it is left as it is.', { final: true });
  try {
    const state = readState(input.state, pattern);
    const strange = Object.entries(progress).filter(([name, begins]) => !isLike(begins, state.progress[name]));
    if (strange.length > 0)
      throw fail(
        'State.Unreadable',
        `state.progress: ${strange.map(([name]) => name).join(', ')} cannot be what a ${pattern} run remembers`,
      );
    // A field that a newer release of the pattern remembers begins as it would in a new run.
    return { ...state, progress: { ...progress, ...state.progress } };
  } catch (error) {
    // After continue-as-new a newer worker may have written it. A plain error fails only the task, until a newer worker takes it.
    if (failureOf(error).type === 'State.Newer' && workflowInfo().continuedFromExecutionRunId)
      throw new Error(failureOf(error).message, { cause: error });
    throw fail(failureOf(error).type === 'State.Newer' ? 'State.Newer' : 'State.Unreadable', failureOf(error).message, {
      final: true,
      details: failureOf(error).details,
    });
  }
}

/** A field that is not there begins anew; one that begins with nothing may be anything. */
function isLike(begins: unknown, value: unknown): boolean {
  if (value === undefined || begins === null) return true;
  return typeof value === typeof begins && value !== null && Array.isArray(value) === Array.isArray(begins);
}

/** Written by another run of ours; but anybody can start a workflow. */
function originOf(nested: unknown): NonNullable<RunState['nested']> {
  const problems = problemsOf(nested, nestedStartShape, 'nested');
  if (problems.length > 0) throw fail('Input.Invalid', `The run's input is not from a run that starts it: ${problems.join('; ')}`);
  const { parent, operationId, root, inherited } = nested as NestedStart;
  const wrong = (problem: string) => fail('Input.Invalid', `The run's input is not from a run that starts it: nested.${problem}`);
  // What Temporal cannot carry out fails the workflow task, and that is tried for ever.
  if (parent === '' || utf8Bytes(parent) > longestId || parent === workflowInfo().workflowId)
    throw wrong('parent: expected the workflow id of another run');
  if (!inherited) return { parent, operationId, root };
  const { head, length, as, from, to } = inherited;
  if (length !== (head?.length ?? 0) || head?.length === 0) throw wrong('inherited.length: expected the length of its head');
  return { parent, operationId, root, inherited: { length, as, from, to } };
}

/** Bytes that Temporal allows. */
const longestId = 1000;

const nestedStartShape: Shape = {
  fields: {
    parent: 'string',
    operationId: 'string',
    prepared: { optional: 'string' },
    root: { fields: { workflowId: 'string', firstRunId: 'string' } },
    limits: { optional: { fields: { tokens: { optional: 'count' } } } },
    sleepAfterMs: { optional: { nullable: 'count' } },
    inherited: {
      optional: {
        fields: {
          length: 'count',
          as: 'string',
          from: 'count',
          to: 'count',
          lastTurn: 'count',
          head: { nullable: { fields: { part: 'string', length: 'count' } } },
        },
      },
    },
  },
};

/** The first activity: records the agents, or nothing when the run goes on with those it has. */
export async function loadRun(run: AnyRun, input: unknown): Promise<void> {
  const { state } = run;
  if (state.sleeper) {
    await slumber(run, state.sleeper);
  } else if ((input as RunInput).state !== undefined) {
    run.outbox.emit('run.continued', { continuations: state.continuations });
  } else if (((input as RunInput).snapshot ?? undefined) !== undefined) {
    await goOn(run, input as RunInput);
  } else {
    await load(run, input as RunInput);
  }
  run.phase = 'running';
  showRun(run);
  await resume(run);
  run.notices.begin();
}

async function load(run: AnyRun, input: RunInput): Promise<void> {
  const { state } = run;
  const { messages: said, problems } = input.input ? { messages: [], problems: [] } : checkTask(input.task);
  // The task is in the history already, as part of the run's input: it does not go through it again.
  const told = (input.task ?? undefined) === undefined ? {} : { task: '(kept in the run)' };
  const taskProblems = problems.length > 0 ? { taskProblems: problems } : {};
  const loaded = await run.outbox
    .along((base) => loadTeam('load the team')({ ...base, pattern: state.pattern, input: { ...input, ...told }, ...taskProblems }))
    .catch((error: unknown) => {
      throw stepFailure(error, 'Input.Invalid', 'Loading the team');
    });
  if ('asleep' in loaded) return await wake(run, loaded.asleep);
  const { team, limits, options, orchestration, settings, termination, output } = loaded;
  Object.assign(state, { team, limits, options, settings, ...(orchestration && { orchestration }), ...(output && { shape: output }) });
  if (input.snapshots) state.snapshots = { every: input.snapshots.every ?? 1, keep: input.snapshots.keep ?? mostKept };
  if (input.sleepAfter !== undefined) state.sleepAfterMs = spanMs(input.sleepAfter) ?? null;
  if (termination) state.termination = openTermination(termination, Date.parse(state.startedAt));
  if (input.nested) {
    if (!loaded.input && problems.length > 0) throw problemsFailure('The task', problems);
    begin(run, input.nested);
  }
  if (input.conversation !== undefined) await adopt(run, input.conversation);
  if (input.states) await bring(run, input.states);
  state.judged = run.transcript.length;
  run.outbox.emit('run.started', {
    pattern: state.pattern,
    ...(orchestration && { orchestration }),
    agents: run.agents,
  });
  for (const message of loaded.input ? await readTask(run, input.task as Json, loaded.input) : said) run.receive(message);
  takeEarlyStop(run);
}

/** Of the snapshots that a run keeps by itself. */
const mostKept = 20;

/** Any JSON becomes messages: checked, and as JSON or by a function. */
async function readTask(run: AnyRun, task: Json | undefined, { schema, transform }: InputShape): Promise<Message[]> {
  if (task === undefined || task === null) return [];
  const problems = schema ? problemsOfJson(task, schema) : [];
  if (problems.length > 0)
    throw problemsFailure(
      'The task',
      problems.map(({ path, message }) => ({ path: inTask(path), message })),
    );
  const read = checkTask(transform === undefined ? asText(task) : await run.call(transform, task));
  if (read.problems.length === 0 && read.messages.length > 0) return read.messages;
  if (transform === undefined) throw problemsFailure('The task', read.problems);
  const reasons = read.problems.map(({ path, message }) => `${path}: ${message}`).join('; ') || 'it returned nothing';
  throw fail('Function.Failed', `The function "${transform}" must make a message of the task, or several: ${reasons}`, { final: true });
}

function asText(task: Json): string {
  return typeof task === 'string' ? task : JSON.stringify(task, undefined, 2);
}

function inTask(path: string): string {
  return path === '' || path.startsWith('[') ? `task${path}` : `task.${path}`;
}

/** A member of another run begins with what it hears there, by reference. */
function begin(run: AnyRun, { limits = {}, inherited, sleepAfterMs }: NestedStart): void {
  const own = run.state.limits;
  if (sleepAfterMs !== undefined) run.state.sleepAfterMs = sleepAfterMs;
  if (limits.tokens !== undefined) own.tokens = Math.min(own.tokens ?? limits.tokens, limits.tokens);
  if (!inherited?.head) return;
  const { head, lastTurn } = inherited;
  run.state.lastTurn = lastTurn;
  run.transcript.adopt({ segments: [{ id: head.part, from: 0, count: head.length, bytes: 0 }], head });
}

async function adopt(run: AnyRun, conversation: string): Promise<void> {
  const adopted = await run.outbox
    .along((base) => adoptConversation(`go on with ${conversation}`.slice(0, 200))({ ...base, conversation }))
    .catch((error: unknown) => {
      throw stepFailure(error, 'Run.NotFound', `Going on with the conversation of "${conversation}"`);
    });
  run.state.lastTurn = adopted.lastTurn;
  run.transcript.adopt(adopted);
}

/** What would break on its way to the activity that checks the rest. */
function checkDocument(input: Record<string, unknown>): void {
  const problems = checkPlainJson(input, sizes.input);
  if (problems === 'too large') {
    throw fail(
      'Input.TooLarge',
      `The run's input is larger than ${sizes.input / 1024} KiB. Start with less, and say the rest to a session.`,
    );
  }
  if (problems.length > 0) throw problemsFailure('The run input', problems);
}

function newState(pattern: string, progress: object): RunState {
  const never = { attemptMs: 1, attempts: 1, totalMs: 1, heartbeatMs: 1 };
  return {
    stateVersion: currentStateVersion,
    conversationId: workflowInfo().firstExecutionRunId,
    pattern,
    startedAt: new Date().toISOString(),
    team: { id: '', members: [] },
    settings: { times: { model: never, tool: never }, searchAttributes: false },
    limits: {},
    options: {},
    transcript: { segments: [], tail: [], head: null },
    progress: structuredCopy(progress),
    turns: [],
    lastTurn: 0,
    rounds: 0,
    usage: noUsage,
    inbox: [],
    said: [],
    judged: 0,
    requests: [],
    operations: [],
    post: [],
    outbox: [],
    eventCount: 0,
    steps: { current: null, completed: [], count: 0, outputs: {}, retries: 0 },
    continuations: 0,
  };
}

function structuredCopy(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
