/** A run that Temporal does not know any more, as the store has it: it answers what the workflow would be asked. */
import { fail } from '../contract/failure.js';
import { queries } from '../contract/names.js';
import type { RunResult, RunStatus } from '../contract/run.js';
import type { Outcome, Snapshot } from '../contract/snapshot.js';
import type { SnapshotParts } from '../contract/state-step.js';
import type { TranscriptPage } from '../contract/transcript.js';
import { readSnapshot } from '../state/read-snapshot.js';
import type { RunState } from '../state/run-state.js';
import { asleep, auditOf, checkpointOf, requestView, resultOf, statusOf, turnOf } from '../state/views.js';
import { leftBy } from '../store/left.js';
import { readDocument } from '../store/read-document.js';
import { asFailureType } from './call.js';
import type { ClientContext } from './context.js';

/**
 * `undefined` when it has left nothing here. `firstRunId`: of the run that is meant, where several have had the id; one that has left
 * nothing is stood in for by the last.
 *
 * @throws `State.Unreadable` · `State.Newer` · `Encryption.KeyMissing`
 */
export async function storedRun({ store }: ClientContext, workflowId: string, firstRunId?: string): Promise<StoredRun | undefined> {
  const left = await leftBy(store, workflowId, firstRunId);
  if (!left) return undefined;
  const { snapshot, state } = readSnapshot(await readDocument(store.blobs, left.id));
  return new StoredRun(left.id, snapshot, state);
}

export class StoredRun {
  constructor(
    private readonly id: string,
    private readonly snapshot: Snapshot,
    private readonly state: RunState,
  ) {}

  get firstRunId(): string {
    return this.snapshot.run.firstRunId;
  }

  get at(): string {
    return this.snapshot.at;
  }

  /** What the workflow would answer. `undefined`: nothing is known under this name. */
  answer(query: string, argument?: unknown): unknown {
    switch (query) {
      case queries.status:
        return this.status;
      case queries.checkpoint:
        return checkpointOf(this.state);
      case queries.requests:
        return this.state.requests.map(requestView);
      case queries.audit:
        return auditOf(this.state);
      case queries.transcript:
        return this.#page(argument as { after?: number });
      case queries.turn:
        return turnOf(this.state, (argument as { turnId: string }).turnId);
      case queries.snapshot:
        return this.#parts;
      default:
        return undefined;
    }
  }

  get status(): RunStatus {
    const { workflowId: runId, firstRunId } = this.snapshot.run;
    const end = this.#outcome;
    const how =
      'result' in end ? { status: this.#isAsleep ? ('asleep' as const) : end.result.status, ...end } : { status: 'failed' as const };
    const failure = 'failure' in end ? { failure: { type: end.failure.type, message: end.failure.message } } : {};
    return { ...statusOf(this.state, { runId, firstRunId, ...how, ...failure }), snapshotId: this.id };
  }

  /** @throws the run's failure */
  get result(): RunResult {
    const end = this.#outcome;
    if ('result' in end) return end.result;
    const { type, message, details = [] } = end.failure;
    throw fail(asFailureType(type), message, { details, final: true });
  }

  get #isAsleep(): boolean {
    return this.snapshot.reason === 'sleep';
  }

  get #outcome(): Outcome {
    return (!this.#isAsleep && this.snapshot.outcome) || { result: resultOf({ ...this.state, ending: asleep }) };
  }

  /** All of it is in segments. */
  #page({ after = 0 }: { after?: number }): TranscriptPage {
    const { transcript, nested, imports } = this.state;
    const length = transcript.head?.length ?? 0;
    return {
      length,
      from: length,
      entries: [],
      segments: transcript.segments.filter(({ from, count }) => from + count > after),
      ...(nested?.inherited && { inherited: nested.inherited }),
      ...(imports && { imports }),
    };
  }

  get #parts(): SnapshotParts {
    const { outcome: _, ...document } = this.snapshot;
    const { head, segments } = this.state.transcript;
    return { document: { ...document, reason: 'asked' }, head, segments, fresh: [] };
  }
}
