/** Keys that come, go, are missing somewhere or never were: runs wait or refuse, and none is lost. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cipher } from '../../src/encryption/cipher.js';
import { EncryptionCodec } from '../../src/encryption/codec.js';
import { newKey, readKeys } from '../../src/encryption/keys.js';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { textOf, type RunEvent } from '../../src/index.js';
import { json, RawTemporal } from '../support/raw.js';
import { devServer } from '../support/servers.js';
import { openWorld, type ScriptedCall, type World } from '../support/world.js';

const [a, b, c] = [newKey('a'), newKey('b'), newKey('c')];
const clerk = { name: 'clerk', model: 'clerk', instructions: 'Answer.' };
const said = ['one', 'two', 'three', 'four', 'five'];
const echo = (call: ScriptedCall) => `reply ${said.filter((text) => call.heard(text)).length}`;

let environment: TestWorkflowEnvironment;
/** The same server by another connection: two workers of one connection may not share a task queue. */
let another: TestWorkflowEnvironment;
let raw: RawTemporal;
let dataDir: string;
beforeAll(async () => {
  [environment, another] = await Promise.all([devServer(), devServer()]);
  raw = new RawTemporal(environment);
  dataDir = await mkdtemp(join(tmpdir(), 'ostinato-keys-'));
});
afterAll(async () => {
  await Promise.all([environment?.teardown(), another?.teardown()]);
  await rm(dataDir, { recursive: true, force: true });
});

/** A worker and a client with these keys, on a task queue that others with other keys may share. */
async function worldWith(keys: string, taskQueue: string, on = environment): Promise<World> {
  return await openWorld({ environment: on, script: { clerk: echo }, config: { dataDir, taskQueue, encryptionKeys: keys } });
}

async function encrypted(key: string, value: unknown): Promise<Payload> {
  const codec = new EncryptionCodec(new Cipher(readKeys(key, (problem) => expect.fail(problem))));
  return (await codec.encode([defaultPayloadConverter.toPayload(value) as Payload]))[0] as Payload;
}

const noise = (keyId: string): Payload => ({
  metadata: { encoding: Buffer.from('binary/encrypted'), 'encryption-key-id': Buffer.from(keyId) },
  data: randomBytes(200),
});

async function refusedIn(events: AsyncIterable<RunEvent>, count: number): Promise<string[]> {
  const reasons: string[] = [];
  for await (const event of events) {
    if (event.type === 'input.refused') reasons.push((event as unknown as { reason: string }).reason);
    if (reasons.length === count) break;
  }
  return reasons;
}

test('what nobody here can open is refused, a plain message is taken, and a key that comes later changes nothing of it', async () => {
  const taskQueue = `hostile-${randomUUID()}`;
  const id = `session/clerk/${randomUUID()}`;
  {
    await using world = await worldWith(a, taskQueue);
    const session = world.client.session(clerk, id.slice('session/clerk/'.length));
    expect((await session.say('one')).reply).toBe('reply 1');

    await raw.signal(id, 'say', [noise('a')]);
    await raw.signal(id, 'say', [json({ message: 'two' })]);
    await raw.signal(id, 'say', [noise('made-up')]);
    await raw.signal(id, 'say', [await encrypted(c, { message: 'with a key that is not here yet' })]);
    const reasons = await refusedIn(session.watch(), 3);

    expect(reasons).toEqual([
      expect.stringContaining('no key here opens it'),
      expect.stringContaining('with the key "made-up", which the worker does not have'),
      expect.stringContaining('with the key "c"'),
    ]);
    expect(await raw.update(id, 'say', [noise('another')])).toMatchObject({ type: 'Input.Invalid' });
    expect((await session.say('three')).reply).toBe('reply 3');
  }
  // This one replays all of it, and could read what was refused.
  await using world = await worldWith([a, c].join(), taskQueue);
  const session = world.client.attach(id);
  await raw.signal(id, 'say', [await encrypted(c, { message: 'four' })]);
  const { reply } = await session.say('five');

  expect(reply).toBe('reply 5');
  expect((await session.transcript()).map(({ message }) => textOf(message)).filter((text) => !text.startsWith('reply'))).toEqual(said);
});

test('an input that no key opens fails the run; one with a key that this worker lacks waits for a worker that has it', async () => {
  const taskQueue = `starts-${randomUUID()}`;
  const [bad, good] = [`bad/${randomUUID()}`, `good/${randomUUID()}`];
  {
    await using world = await worldWith(a, taskQueue);
    await raw.start(bad, taskQueue, 'sequential', [noise('a')]);
    await raw.start(good, taskQueue, 'sequential', [await encrypted(b, { task: 'Go.', agents: [clerk] })]);

    await expect(world.client.attach(bad).result()).rejects.toMatchObject({ type: 'Input.Invalid' });
    await expect(world.client.attach(good).result({ timeout: '3 seconds' })).rejects.toMatchObject({ type: 'Run.TimedOut' });
  }
  await using world = await worldWith([b, a].join(), taskQueue);
  expect((await world.client.attach(good).result()).output).toBe('reply 0');
});

test('a session goes on when keys change, with the new one; and without the old one its beginning is locked, not lost', async () => {
  const taskQueue = `rotation-${randomUUID()}`;
  const key = randomUUID();
  let snapshotId: string;
  {
    await using world = await worldWith(a, taskQueue);
    const session = world.client.session(clerk, key);
    await session.say('one');
    ({ snapshotId } = await session.save({ label: 'under a' }));
  }
  await using world = await worldWith([b, a].join(), taskQueue);
  const session = world.client.session(clerk, key);
  expect((await session.say('two')).reply).toBe('reply 2');
  expect((await session.snapshots()).map(({ label }) => label)).toEqual(['under a']);
  expect(await keysIn(session.id)).toEqual(['a', 'b']);
  const later = world.client.session(clerk, `${key}-later`);
  await later.say('one');
  expect(await keysIn(later.id)).toEqual(['b']);

  await using without = await worldWith(b, taskQueue, another);
  const locked = { type: 'Encryption.KeyMissing', message: expect.stringContaining('"a"') };
  await expect(without.client.export(snapshotId)).rejects.toMatchObject(locked);
  await expect(without.client.session(clerk, key).snapshots()).rejects.toMatchObject(locked);
  expect((await world.client.export(snapshotId)).snapshotId).toBe(snapshotId);
});

test('beside a worker without the key, runs of one that has it come to their end', async () => {
  const taskQueue = `mixed-${randomUUID()}`;
  await using both = await worldWith([a, b].join(), taskQueue);
  await using lacking = await worldWith(b, taskQueue, another);
  const agents = ['one', 'two', 'three', 'four'].map((name) => ({ ...clerk, name }));

  const runs = await Promise.all([1, 2, 3].map(() => both.client.start('sequential', { task: 'Go.', agents })));
  const results = await Promise.all(runs.map((run) => run.result()));

  expect(results.map(({ status, rounds }) => [status, rounds])).toEqual(runs.map(() => ['completed', 4]));
  await expect(lacking.client.attach(runs[0]!.id).result()).rejects.toMatchObject({ type: 'Encryption.KeyMissing' });
});

/** Ids of the keys in a history, sorted. */
async function keysIn(workflowId: string): Promise<string[]> {
  const history = historyToJSON(await environment.client.workflow.getHandle(workflowId).fetchHistory());
  const ids = [...history.matchAll(/"encryption-key-id": ?"([^"]*)"/g)].map(([, id]) => Buffer.from(id!, 'base64').toString());
  return [...new Set(ids)].sort();
}
