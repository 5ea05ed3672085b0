import { Context } from '@temporalio/activity';
import type { AgentRegistry } from '../agents/registry.js';
import { fail } from '../contract/failure.js';
import { readRunInput } from '../contract/input-schema.js';
import { hint, problemsFailure, show, type Problem } from '../contract/problems.js';
import type { NestedStart, RunInput } from '../contract/run.js';
import type { SnapshotRecord } from '../contract/snapshot.js';
import type { LoadTeamInput, LoadTeamOutput, PreparedRun } from '../contract/step.js';
import type { Part, TranscriptHead } from '../contract/transcript.js';
import { asleepAs } from '../store/asleep.js';
import type { BlobStore, Store } from '../store/store.js';
import { prepareRun, type PrepareDeps } from './prepare-run.js';
import { publishEvents } from './publish.js';

/**
 * The first step of every run: names become definitions, and these are recorded, so that a run keeps the agents it started with.
 * Safe to repeat: the same definitions have the same id.
 */
export function createLoadTeam(deps: PrepareDeps) {
  return async function loadTeam({ pattern, input, taskProblems = [], ...base }: LoadTeamInput): Promise<LoadTeamOutput> {
    await publishEvents(deps.store.events, base);
    const { workflowId = '' } = Context.current().info.workflowExecution ?? {};
    const asleep = pattern === 'session' ? await toWake(deps.store, workflowId) : undefined;
    if (asleep !== undefined) return { asleep };
    if (input.nested) return await readPrepared(deps.store, pattern, input.nested);
    const read = readRunInput(pattern, input, { taskKept: true });
    // An orchestration may say how a task becomes messages: then it need not be one.
    const orchestration = input.orchestration === undefined ? undefined : deps.agents.orchestration(input.orchestration);
    const mayBeShaped = input.orchestration !== undefined && (!orchestration || orchestration.input !== undefined);
    const problems = [...(mayBeShaped ? [] : taskProblems), ...read.problems];
    if (!read.input || problems.length > 0) throw problemsFailure('The run input', problems);
    const unknown: Problem[] = [];
    const document = fill(read.input, pattern, deps.agents, unknown);
    const prepared = await prepareRun(pattern, document, deps, unknown);
    if (unknown.length > 0) throw problemsFailure('The run input', unknown, 'Input.UnknownAgent');
    return { ...prepared, ...(document.orchestration !== undefined && { orchestration: document.orchestration }) };
  };
}

/** Of a session that sleeps: its time begins anew, unless it is over. The janitor and whoever wakes it agree on that by the list of deletions. */
async function toWake(store: Store, workflowId: string): Promise<string | undefined> {
  // By the server's clock, as all of it.
  const nowMs = Context.current().info.currentAttemptScheduledTimestampMs;
  const asleep = await asleepAs(store, workflowId, nowMs);
  if (!asleep || (await isUnwanted(store, asleep))) return undefined;
  if (!asleep.expires) return asleep.id;
  const { at, conversationId } = asleep.expires;
  const known = await store.deletions.get({ workflowId, conversationId });
  if (!known) return asleep.id;
  const dueAt = new Date(nowMs + Date.parse(at) - Date.parse(asleep.at)).toISOString();
  return (await store.deletions.schedule({ ...known, dueAt })) ? asleep.id : undefined;
}

/** Somebody has asked for its deletion since it fell asleep. */
async function isUnwanted({ deletions }: Store, { workflowId, firstRunId }: SnapshotRecord): Promise<boolean> {
  const asked = await deletions.get({ workflowId });
  return asked !== undefined && asked.status !== 'done' && (asked.firstRunId ?? firstRunId) === firstRunId;
}

/** The orchestration gives what the input leaves open; of options and limits, each by itself. */
export function fill(input: RunInput, pattern: string, registry: AgentRegistry, unknown: Problem[]): RunInput {
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

/** So often a store may not have yet what another worker has put into it. */
const attempts = 5;

async function readPrepared({ blobs }: Store, pattern: string, { prepared: id, inherited }: NestedStart): Promise<PreparedRun> {
  if (id === undefined) throw fail('Input.Invalid', 'A nested run begins with what was prepared for it, or with a snapshot.');
  const text = await blobs.get(id);
  const prepared = text === undefined ? undefined : preparedIn(text);
  if (text === undefined) throw missing(`run ${id} that was prepared`);
  if (prepared?.pattern !== pattern)
    throw fail('Input.Invalid', `${id} in the store is no ${pattern} run that was prepared. Let a run start its members itself.`);
  if (inherited?.head) await checkPart(blobs, inherited.head);
  return prepared;
}

function preparedIn(text: string): PreparedRun | undefined {
  const value = JSON.parse(text) as Partial<PreparedRun> | null;
  return Array.isArray(value?.team?.members) ? (value as PreparedRun) : undefined;
}

async function checkPart(blobs: BlobStore, { part: id, length }: NonNullable<TranscriptHead>): Promise<void> {
  const text = await blobs.get(id);
  if (text === undefined) throw missing(`part ${id} of a transcript`);
  const part = JSON.parse(text) as Partial<Part> | null;
  if ((part?.previous?.length ?? 0) + (part?.entries?.length ?? 0) !== length)
    throw fail('Input.Invalid', `${id} in the store is no part of a transcript of ${length} entries.`);
}

function missing(what: string) {
  return fail('Store.Unavailable', `The store has no ${what}. Does this worker use the same store as the others?`, {
    final: Context.current().info.attempt >= attempts,
  });
}
