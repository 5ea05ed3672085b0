/** A run as one JSON document, with everything inlined: all it takes to go on elsewhere. */
import { serializeAgentState } from '../agent-state/serialize.js';
import { fail } from '../contract/failure.js';
import { problemsFailure, type Problem } from '../contract/problems.js';
import type { AuditPart } from '../contract/audit.js';
import type { Part } from '../contract/transcript.js';
import {
  assertAgents,
  exportType,
  snapshotVersion,
  type AgentsToExport,
  type RunExport,
  type Snapshot,
  type SnapshotRecord,
} from '../contract/snapshot.js';
import { readSnapshot } from '../state/read-snapshot.js';
import { entryShape } from '../state/entry-shape.js';
import type { RunState } from '../state/run-state.js';
import { isObject, problemsOf, type Shape } from '../state/shape.js';
import { blobId } from '../store/blob-id.js';
import { recordOf } from '../store/write-snapshot.js';
import { referencesIn } from '../store/references.js';
import type { ClientContext } from './context.js';
import { readStoredSnapshot } from './snapshots.js';
import { stateIn } from './transcript.js';
import { problemsOfPart } from './audit.js';
import { withoutPast } from '../janitor/without-past.js';

/** Characters. A longer text is refused before it is looked into. */
const longestDocument = 256 * 1024 * 1024;

/** @throws `State.NotFound` · `State.Unreadable` · `Input.UnknownAgent` */
export async function exportSnapshot(context: ClientContext, id: string, agents?: AgentsToExport): Promise<RunExport> {
  const snapshot = await readStoredSnapshot(context, id);
  const { run, at, definition } = snapshot;
  const documents = await documentsOf(context, snapshot, agents ?? snapshot.agents ?? 'none');
  const blobs: { [id: string]: string } = {};
  const open = [id];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (Object.hasOwn(blobs, next)) continue;
    const text = await context.store.blobs.get(next);
    if (text === undefined) continue;
    blobs[next] = text;
    // Snapshots in its past are not a part of it.
    open.push(...referencesIn(withoutPast(JSON.parse(text))));
  }
  const problems = problemsIn(blobs, id);
  if (problems.length > 0) throw problemsFailure(`The snapshot ${id} in this store`, problems, 'State.Unreadable');
  return {
    schemaVersion: snapshotVersion,
    type: exportType,
    snapshotId: id,
    run,
    at,
    definition,
    ...(documents && { agents: documents }),
    blobs,
  };
}

async function documentsOf(context: ClientContext, { definition, state }: Snapshot, agents: AgentsToExport): Promise<RunExport['agents']> {
  if (agents === 'none') return undefined;
  const names = agents === 'all' ? definition.agents : agents;
  assertAgents(names, definition.agents);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, serializeAgentState(await stateIn(context, state as RunState, name))])),
  ) as RunExport['agents'];
}

/**
 * Puts everything into this store, and lists the snapshot. Safe to repeat.
 *
 * @throws `State.Unreadable` with every problem; then nothing was written · `State.Newer`
 */
export async function importSnapshot({ store }: ClientContext, document: string | RunExport): Promise<SnapshotRecord> {
  const { snapshotId, blobs } = checked(typeof document === 'string' ? parsed(document) : document);
  const stored = JSON.parse(blobs[snapshotId] as string) as unknown;
  const { snapshot, state } = readSnapshot(stored);
  const problems = problemsIn(blobs, snapshotId);
  if (problems.length > 0) throw unreadable(problems);
  for (const text of Object.values(blobs)) await store.blobs.put(text);
  const record = recordOf(snapshotId, snapshot, { turn: state.lastTurn, length: state.transcript.head?.length ?? 0, key: snapshotId });
  // Only what a run has left here itself is found by its id: this one is loaded.
  const listed: SnapshotRecord = { ...record, reason: ['sleep', 'finished'].includes(record.reason) ? 'asked' : record.reason };
  await store.snapshots.add(listed);
  return listed;
}

function parsed(text: string): unknown {
  if (text.length > longestDocument)
    throw unreadable([{ path: '', message: `has ${text.length} characters; at most ${longestDocument} are read` }]);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw fail('State.Unreadable', `The document is not JSON: ${(cause as Error).message.slice(0, 200)}`, { cause });
  }
}

function checked(document: unknown): RunExport {
  if (!isObject(document) || document.type !== exportType) throw unreadable([{ path: 'type', message: `must be "${exportType}"` }]);
  const { schemaVersion, snapshotId, blobs } = document;
  const version = /^(\d+)\.\d+\.\d+$/.exec(String(schemaVersion));
  if (!version) throw unreadable([{ path: 'schemaVersion', message: 'must be a version such as 1.0.0' }]);
  if (version[1] !== '1')
    throw fail('State.Newer', `The document has version ${String(schemaVersion)}; this release reads 1.x. Use a newer one.`, {
      final: true,
    });
  if (!isObject(blobs)) throw unreadable([{ path: 'blobs', message: 'must be an object of texts' }]);
  const problems = Object.entries(blobs).flatMap(([id, text]) => problemOfBlob(id, text));
  if (typeof snapshotId !== 'string' || !Object.hasOwn(blobs, snapshotId))
    problems.push({ path: 'snapshotId', message: 'must be among the blobs' });
  if (problems.length > 0) throw unreadable(problems);
  return document as unknown as RunExport;
}

/** A name is the hash of what it names, so nothing can have been changed or swapped. */
function problemOfBlob(id: string, text: unknown): Problem[] {
  const path = `blobs.${id.slice(0, 100)}`;
  if (typeof text !== 'string') return [{ path, message: 'must be a text' }];
  if (blobId(Buffer.from(text, 'utf8')) !== id) return [{ path, message: 'is not what it was when it was exported' }];
  try {
    JSON.parse(text);
    return [];
  } catch {
    return [{ path, message: 'must be JSON' }];
  }
}

/** What it cannot go on with, or without: agents, the whole chain of the transcript with its large messages, and what is nested in it. */
function problemsIn(blobs: { [id: string]: string }, snapshotId: string): Problem[] {
  const problems: Problem[] = [];
  const read = (id: string): unknown => {
    if (Object.hasOwn(blobs, id)) return JSON.parse(blobs[id] as string);
    problems.push({ path: `blobs.${id}`, message: 'is missing, and the snapshot needs it' });
    return undefined;
  };
  const snapshots = [snapshotId];
  const seen = new Set<string>();
  for (let id = snapshots.pop(); id !== undefined; id = snapshots.pop()) {
    const document = read(id);
    if (document === undefined || seen.has(id)) continue;
    seen.add(id);
    const { snapshot, state } = readSnapshot(document);
    snapshots.push(...Object.values(snapshot.members).map((member) => member.snapshotId));
    read(state.team.id);
    for (const { blob } of Object.values(state.compactions ?? {})) read(blob);
    for (let part = state.audit?.last ?? null; part !== null && !seen.has(part);) {
      seen.add(part);
      const value = read(part);
      const wrong = value === undefined ? [] : problemsOfPart(value, `blobs.${part}`);
      problems.push(...wrong.map(asProblem));
      part = value === undefined || wrong.length > 0 ? null : (value as AuditPart).previous;
    }
    const { head, segments } = state.transcript;
    const parts = [head?.part, ...segments.map((segment) => segment.id)].filter((part) => part !== undefined);
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      if (seen.has(part)) continue;
      seen.add(part);
      const value = read(part);
      const wrong = value === undefined ? [] : problemsOf(value, partShape, `blobs.${part}`);
      problems.push(...wrong.map(asProblem));
      if (value === undefined || wrong.length > 0) continue;
      const { previous, entries } = value as Part;
      for (const { cut, blob } of entries) if (cut && blob !== undefined) read(blob);
      if (previous) parts.push(previous.part);
    }
  }
  return problems;
}

/** `path: what` */
function asProblem(text: string): Problem {
  return { path: text.slice(0, text.indexOf(': ')), message: text.slice(text.indexOf(': ') + 2) };
}

const partShape: Shape = {
  fields: { previous: { nullable: { fields: { part: 'string', length: 'count' } } }, entries: { list: entryShape } },
};

function unreadable(problems: Problem[]) {
  return problemsFailure('The document', problems, 'State.Unreadable');
}
