/** The document of a whole run: what comes in from anywhere is either whole or refused, and nothing is written of what is refused. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { ClientContext } from '../../src/client/context.js';
import { importSnapshot } from '../../src/client/exports.js';
import type { RunExport } from '../../src/client.js';
import { failureOf } from '../../src/index.js';
import { cpuMs } from '../support/cpu.js';
import { openWorld } from '../support/world.js';
import { memoryStore } from '../support/memory-store.js';
import { timeSkippingServer } from '../support/servers.js';

let document: RunExport;
let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
  await using world = await openWorld({ environment, script: { a: ['one'], b: ['x'.repeat(100_000)] } });
  const [a, b] = ['a', 'b'].map((name) => ({ name, model: name, instructions: `You are ${name}.` })) as [never, never];
  const run = await world.client.start('sequential', {
    agents: [a, { name: 'panel', pattern: 'sequential', agents: [b] }],
    task: 'go',
    termination: { type: 'maxMessages', max: 9 },
  });
  await run.result();
  document = await run.export();
});
afterAll(async () => {
  await environment?.teardown();
});

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- It is made to be wrong.
type Loose = any;
const copy = () => structuredClone(document) as RunExport & { [member: string]: unknown };
const contextOf = (store: ReturnType<typeof memoryStore>) => ({ store }) as unknown as ClientContext;
const idOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);
const snapshotIn = ({ blobs, snapshotId }: RunExport) => JSON.parse(blobs[snapshotId] as string) as Loose;

/** With another snapshot in it, under its right name. */
function withSnapshot(change: (snapshot: Loose) => void): RunExport {
  const changed = copy();
  const snapshot = snapshotIn(changed);
  change(snapshot);
  const text = JSON.stringify(snapshot);
  changed.snapshotId = idOf(text);
  changed.blobs[changed.snapshotId] = text;
  return changed;
}

async function refusalOf(given: unknown) {
  const store = memoryStore();
  const error = await importSnapshot(contextOf(store), given as string).then(
    () => undefined,
    (refused: unknown) => refused,
  );
  return { ...(error ? failureOf(error) : { type: 'none', message: '' }), written: store.texts.size };
}

test('it is whole: what is in it is all it takes', async () => {
  const store = memoryStore();

  const record = await importSnapshot(contextOf(store), JSON.stringify(document));
  await importSnapshot(contextOf(store), document);

  expect(record).toMatchObject({ id: document.snapshotId, turn: 2, length: 3 });
  expect(await store.snapshots.list(document.run.workflowId)).toEqual([record]);
  expect(store.texts.size).toBe(Object.keys(document.blobs).length);
  expect([...store.texts.values()].some((text) => text.includes('x'.repeat(100_000)))).toBe(true);
});

describe('refused is', () => {
  test.each<[string, () => unknown, string, RegExp]>([
    ['half of it', () => JSON.stringify(document).slice(0, 1000), 'State.Unreadable', /not JSON/],
    ['nothing', () => '', 'State.Unreadable', /not JSON/],
    ['a list', () => [], 'State.Unreadable', /type: must be/],
    ['null', () => 'null', 'State.Unreadable', /type: must be/],
    ['another document', () => '{"schemaVersion":"1.1.0","data":{}}', 'State.Unreadable', /ostinato\.export/],
    ['a newer one', () => ({ ...copy(), schemaVersion: '2.0.0' }), 'State.Newer', /2\.0\.0/],
    ['one without version', () => ({ ...copy(), schemaVersion: undefined }), 'State.Unreadable', /schemaVersion/],
    ['blobs that are none', () => ({ ...copy(), blobs: [] }), 'State.Unreadable', /blobs/],
    ['a snapshot that is not there', () => ({ ...copy(), snapshotId: '0'.repeat(32) }), 'State.Unreadable', /snapshotId/],
    ['a snapshot named like a path', () => ({ ...copy(), snapshotId: '../../x' }), 'State.Unreadable', /snapshotId/],
    ['a name that is a part of every object', () => ({ ...copy(), snapshotId: '__proto__' }), 'State.Unreadable', /snapshotId/],
    [
      'a text that was changed',
      () => {
        const changed = copy();
        const [id] = Object.keys(changed.blobs);
        changed.blobs[id as string] += ' ';
        return changed;
      },
      'State.Unreadable',
      /not what it was/,
    ],
    ['a text under a name of its own', () => ({ ...copy(), blobs: { ...document.blobs, '../x': '{}' } }), 'State.Unreadable', /\.\.\/x/],
    ['a snapshot of nothing', () => withSnapshot((snapshot) => delete snapshot.state), 'State.Unreadable', /snapshot\.state/],
    ['a state that is damaged', () => withSnapshot(({ state }) => (state.turns = 3)), 'State.Unreadable', /state\.turns/],
    ['a state of a newer release', () => withSnapshot(({ state }) => (state.stateVersion = 99)), 'State.Newer', /99/],
    ['a newer snapshot', () => withSnapshot((snapshot) => (snapshot.schemaVersion = '2.0.0')), 'State.Newer', /2\.0\.0/],
    [
      'a transcript that is not there',
      () =>
        withSnapshot(({ state }) => {
          state.transcript.head.part = '0'.repeat(32);
        }),
      'State.Unreadable',
      /is missing/,
    ],
    ['agents that are not there', () => withSnapshot(({ state }) => (state.team.id = '1'.repeat(32))), 'State.Unreadable', /is missing/],
    [
      'a part that is none',
      () => {
        const changed = withSnapshot(({ state }) => (state.transcript.head.part = idOf('{"entries":[7]}')));
        changed.blobs[idOf('{"entries":[7]}')] = '{"entries":[7]}';
        return changed;
      },
      'State.Unreadable',
      /entries\[0\]/,
    ],
    [
      'a nested run that is not there',
      () => withSnapshot((s) => (s.members = { x: { snapshotId: 'y', pattern: 'z' } })),
      'State.Unreadable',
      /is missing/,
    ],
  ])('%s', async (_, make, type, message) => {
    const refusal = await refusalOf(make());

    expect(refusal).toMatchObject({ type, written: 0 });
    expect(refusal.message).toMatch(message);
    expect(refusal.message.length).toBeLessThan(10_000);
  });

  test('a very large text, at once', async () => {
    const began = cpuMs();

    expect(await refusalOf('x'.repeat(257 * 1024 * 1024))).toMatchObject({ type: 'State.Unreadable', written: 0 });
    expect(cpuMs() - began).toBeLessThan(5000);
  });

  test('what is nested very deep, without harm', async () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    const changed = copy();
    changed.blobs[idOf(deep)] = deep;

    expect((await refusalOf(changed)).type).toMatch(/^(none|State\.Unreadable)$/);
    expect((await refusalOf(`{"type":${deep}}`)).type).toBe('State.Unreadable');
  });
});

test('whatever is done to the snapshot, it is read or refused with a type, and nothing is written of what is refused', async () => {
  const paths = (value: unknown, path: string[] = []): string[][] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, inner]) => [[...path, key], ...paths(inner, [...path, key])])
      : [];
  const all = paths(snapshotIn(document));
  const junk = fc.oneof(
    fc.constant(undefined),
    fc.jsonValue(),
    fc.constantFrom('__proto__', -1, 1e308, '', '../..', [[]], { constructor: 1 }),
  );

  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...all), junk, async (path, value) => {
      const changed = withSnapshot((snapshot) => {
        const holder = path.slice(0, -1).reduce<Loose>((inner, key) => inner[key], snapshot);
        if (value === undefined) delete holder[path.at(-1) as string];
        else holder[path.at(-1) as string] = value;
      });
      const { type, written } = await refusalOf(changed);
      expect(['none', 'State.Unreadable', 'State.Newer', 'State.Mismatch']).toContain(type);
      if (type !== 'none') expect(written).toBe(0);
    }),
    { numRuns: 400 },
  );
});
