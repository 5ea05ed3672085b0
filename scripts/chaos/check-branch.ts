/** What must be true of a session that was saved, put back, forked or loaded, whatever was lost meanwhile. */
import type { RunEvent } from '../../src/contract/event.js';
import { callsOf, textOf } from '../../src/contract/message.js';
import type { SnapshotRecord } from '../../src/contract/snapshot.js';
import type { Entry } from '../../src/contract/transcript.js';
import { historyOf } from './history.js';
import { replyTo } from './keeper.js';
import type { Branch } from './state-runs.js';
import type { World } from './world.js';

export async function checkBranch(world: World, branch: Branch, keep: number): Promise<{ problems: string[]; snapshots: number }> {
  const { run } = branch;
  const { firstRunId, operations } = await run.status();
  const listed = await run.snapshots({ limit: 1000 });
  const events: RunEvent[] = [];
  for await (const event of run.watch()) events.push(event);
  const history = await historyOf(world.temporal, run.id, firstRunId);
  const problems = [
    ...history.problems,
    ...operations.flatMap((operation) =>
      operation.kind === 'nested' || operation.status === 'done'
        ? []
        : [`the command ${operation.kind} "${operation.id}" is ${operation.status}.`],
    ),
    ...problemsOfTranscript(branch, await run.transcript()),
    ...problemsOfList(branch, listed, keep),
    ...problemsOfEvents(events, listed),
    ...(await problemsOfExports(world, listed)),
    ...(await problemsOfUndone(branch)),
  ];
  return { problems, snapshots: listed.length };
}

/** What was said to this branch, in order, each answered once by one who had heard what came before, and nothing else. */
function problemsOfTranscript({ said }: Branch, entries: Entry[]): string[] {
  const expected = said.flatMap(({ text }, i) => [text, replyTo(said.slice(0, i + 1).map((one) => one.text))]);
  const words = entries.map(({ message }) => textOf(message)).filter((text) => text !== '');
  const different = Array.from({ length: Math.max(words.length, expected.length) }, (_, i) => i).find((i) => words[i] !== expected[i]);
  const results = entries.flatMap(({ message }) =>
    message.contents.flatMap((content) => (content.$type === 'functionResult' ? [content.callId] : [])),
  );
  const calls = entries.flatMap(({ message }) => callsOf(message).map(({ callId }) => callId));
  const noted = said.filter(({ text }) => text.startsWith('note ')).length;
  return [
    ...(different === undefined ? [] : [`at ${different} of its transcript is "${words[different]}" instead of "${expected[different]}".`]),
    ...(calls.length === noted ? [] : [`it has ${calls.length} tool calls instead of ${noted}.`]),
    ...(results.join() === calls.join() ? [] : [`its calls are ${calls.join()}, and their results are those of ${results.join()}.`]),
  ];
}

/** One snapshot for each command, and of those that it makes by itself the newest, of different turns. */
function problemsOfList({ expected }: Branch, listed: SnapshotRecord[], keep: number): string[] {
  const problems: string[] = [];
  for (const [reason, count] of Object.entries(expected)) {
    const found = listed.filter((one) => one.reason === reason).length;
    if (found !== count) problems.push(`${found} snapshots of kind "${reason}" are listed instead of ${count}.`);
  }
  const turns = listed.flatMap(({ reason, turn }) => (reason === 'turn' ? [turn] : []));
  if (turns.length > keep) problems.push(`${turns.length} snapshots are kept that it made by itself.`);
  if (new Set(turns).size !== turns.length) problems.push(`it has kept a turn more than once: ${turns.join()}.`);
  return problems;
}

function problemsOfEvents(events: RunEvent[], listed: SnapshotRecord[]): string[] {
  const told = events.flatMap((event) => (event.type === 'snapshot.saved' ? [event.snapshotId] : []));
  const ends = events.filter(({ type }) => type === 'run.finished').length;
  return [
    ...listed
      // Of its end watchers are told by that.
      .filter(({ id, reason }) => reason !== 'finished' && !told.includes(id))
      .map(({ id, reason }) => `the snapshot ${id} (${reason}) is listed, and nobody was told of it.`),
    ...told.filter((id, i) => told.indexOf(id) !== i).map((id) => `the snapshot ${id} was told of twice.`),
    ...(events.some(({ seq }, i) => seq !== i + 1) ? ['events are not numbered one after another.'] : []),
    ...(ends === 1 ? [] : [`watchers were told ${ends} times of its end.`]),
  ];
}

/** Whatever is listed is whole. */
async function problemsOfExports({ client }: World, listed: SnapshotRecord[]): Promise<string[]> {
  const problems: string[] = [];
  for (const { id, reason } of listed) {
    await client.export(id).catch((error: Error) => problems.push(`the snapshot ${id} (${reason}) is not whole: ${error.message}`));
  }
  return problems;
}

/** Nobody is left without an answer: what was undone says so. */
async function problemsOfUndone({ run, sent, said }: Branch): Promise<string[]> {
  const problems: string[] = [];
  for (const { id } of sent) {
    const { status, failure } = await run.turn(id);
    const is = said.some((one) => one.id === id) ? 'completed' : 'Run.RolledBack';
    const told = status === 'failed' ? failure?.type : status;
    if (told !== is) problems.push(`message "${id}" is ${told} instead of ${is}.`);
  }
  return problems;
}
