/** The record of what people were asked and have answered: all of it, wherever the run is and whatever has happened to it. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { OstinatoClient, RunHandle } from '../../src/client.js';
import type { AuditPage, AuditPart } from '../../src/contract/audit.js';
import { defineAgent } from '../../src/index.js';
import { eventually } from '../support/eventually.js';
import { devServer, timeSkippingServer } from '../support/servers.js';
import { openWorld, type Script, type World, type WorldOptions } from '../support/world.js';

vi.setConfig({ testTimeout: 180_000 });

const workflowsPath = fileURLToPath(new URL('../fixtures/asking-workflows.ts', import.meta.url));

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await devServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const clerk = defineAgent({ name: 'clerk', instructions: 'Ask.', model: 'clerk' });
const heard: Script = ({ messages }) => `heard ${messages.at(-1)?.content}`;
const open = (more: Partial<WorldOptions> = {}) => openWorld({ environment, workflowsPath, agents: [clerk], script: heard, ...more });
const startAsking = (world: World, options: object, more: object = {}) =>
  world.client.start('asking' as 'session', { options: options as never, ...more });
const untilAsked = async (run: RunHandle, requestId: string) =>
  await eventually(async () => expect((await run.status()).requests).toContain(requestId));
const pageOf = async (run: RunHandle) => await environment.client.workflow.getHandle(run.id).query<AuditPage>('audit');
const names = async (run: RunHandle) => (await run.audit()).map(({ requestId, status }) => `${requestId} ${status}`);

/** A run with a part of its record in the store, that waits for its last answer. */
async function busy(world: World): Promise<RunHandle> {
  const run = await startAsking(world, { count: 61, inTurn: true });
  for (let i = 0; i < 60; i++) {
    await untilAsked(run, `question-${i}`);
    await run.respond(`question-${i}`, `answer ${i}`, { by: 'anna' });
  }
  await untilAsked(run, last);
  await eventually(async () => expect((await pageOf(run)).count).toBe(50));
  return run;
}

const last = 'question-60';

/** Without grace, which only tests may do. */
const collect = ({ client }: World) => client.collect({ grace: 0, anyGrace: true } as Parameters<OstinatoClient['collect']>[0]);

describe('the record', () => {
  test('of a thousand requests has each of them, when it was asked and what came of it', async () => {
    await using world = await open();
    const run = await startAsking(world, { count: 1000, timeoutMs: 5000, stays: true });
    const answered = Array.from({ length: 100 }, (_, i) => ({ requestId: `question-${i * 10}`, response: i, by: `by ${i}` }));
    const plain = environment.client.workflow.getHandle(run.id);
    await Promise.all(answered.map((answer) => plain.signal('respond', answer)));
    // A thousand take as long as the machine takes for them.
    await vi.waitUntil(async () => (await run.status()).requests.includes('stays'), { timeout: 150_000, interval: 500 });

    const record = await run.audit();
    expect(record).toHaveLength(1001);
    expect(new Set(record.map(({ requestId }) => requestId)).size).toBe(1001);
    for (const answer of answered) {
      const entry = record.find(({ requestId }) => requestId === answer.requestId);
      // Whoever answers late finds it expired.
      if (entry?.status === 'answered') expect(entry).toMatchObject(answer);
    }
    expect(record[0]).toMatchObject({
      requestId: expect.stringMatching(/^question-/),
      kind: 'question',
      prompt: 'How many?',
      askedAt: expect.stringMatching(/Z$/),
      status: expect.stringMatching(/^(answered|expired)$/),
      settledAt: expect.stringMatching(/Z$/),
    });
    expect(record.at(-1)).toMatchObject({ requestId: 'stays', status: 'pending', prompt: 'Was that all?' });
    expect(record.at(-1)).not.toHaveProperty('settledAt');
    // The state remembers a hundred of them.
    expect(await run.requests()).toHaveLength(101);
    await eventually(async () => expect((await pageOf(run)).fresh.length).toBeLessThan(50));
    await run.respond('stays', 'yes');
    await run.result();
    expect(await run.audit()).toHaveLength(1001);
  });

  test('goes along when the run continues as new', async () => {
    await using world = await open({ historyEvents: 20 });
    const run = await startAsking(world, { count: 60, inTurn: true });
    for (let i = 0; i < 60; i++) {
      await untilAsked(run, `question-${i}`);
      await run.respond(`question-${i}`, i);
    }
    await run.result();

    expect((await run.checkpoint()).continuations).toBeGreaterThan(0);
    expect((await run.audit()).map(({ response }) => response)).toEqual(Array.from({ length: 60 }, (_, i) => i));
    expect(await pageOf(run)).toMatchObject({ count: 50 });
  });

  test('has what expired, what was withdrawn, and whole prompts', async () => {
    await using world = await open();
    const prompt = `How many? ${'x'.repeat(7000)}`;
    const run = await startAsking(world, { prompt, timeoutMs: 1, stays: true });
    await untilAsked(run, 'stays');
    await run.cancel();
    await run.result();

    expect(await run.audit()).toMatchObject([
      { requestId: 'question-0', status: 'expired', prompt, expiresAt: expect.any(String), settledAt: expect.any(String) },
      { requestId: 'stays', status: 'withdrawn', settledAt: expect.any(String) },
    ]);
  });

  test('has the beginning of a response that is very long, and says so', async () => {
    await using world = await open();
    const run = await startAsking(world, { stays: true });
    await untilAsked(run, 'question-0');
    await run.respond('question-0', { words: 'y'.repeat(100_000) });
    await untilAsked(run, 'stays');

    const [entry] = await run.audit();
    expect(entry).toMatchObject({ isCut: true, response: expect.stringMatching(/^\{"words":"yyy/) });
    expect(JSON.stringify(entry).length).toBeLessThan(20_000);
    await run.cancel();
    await run.result();
  });

  test('is told while the run sleeps, with what was answered meanwhile', async () => {
    await using world = await open({ script: heard });
    const run = await startAsking(world, { count: 2 }, { sleepAfter: '1 second' });
    await untilAsked(run, 'question-1');
    await run.respond('question-0', 'first', { by: 'anna' });
    await eventually(async () => expect((await run.status()).asleep).toBeDefined());

    expect(await run.audit()).toMatchObject([
      { requestId: 'question-0', status: 'answered', response: 'first', by: 'anna' },
      { requestId: 'question-1', status: 'pending', prompt: 'How many?' },
    ]);
    await run.respond('question-1', 'second');
    await run.result();
    expect(await names(run)).toEqual(['question-0 answered', 'question-1 answered']);
  });

  test('keeps what was answered before the run was put back, beside what is answered then', async () => {
    await using world = await open();
    const run = await startAsking(world, { count: 2, stays: true });
    await untilAsked(run, 'question-1');
    await run.respond('question-0', 'before');
    const { snapshotId } = await run.save();
    await run.respond('question-1', 'too early');
    await untilAsked(run, 'stays');

    await run.rollback({ snapshotId });
    await eventually(async () => expect((await run.status()).requests).toEqual(['question-1']));
    await run.respond('question-1', 'better');
    await untilAsked(run, 'stays');

    const told = (await run.audit()).map(({ requestId, status, response, branch = 0 }) => [requestId, status, response, branch]);
    expect(told).toEqual([
      ['question-0', 'answered', 'before', 0],
      ['question-1', 'answered', 'too early', 0],
      ['stays', 'withdrawn', undefined, 0],
      ['question-1', 'answered', 'better', 1],
      ['stays', 'pending', undefined, 0],
    ]);
    await run.cancel();
    await run.result();
  });

  test('of nested runs is told at the top, too', async () => {
    await using world = await open({ workflowsPath: undefined });
    const desk = { name: 'shop', pattern: 'handoff' as const, agents: ['clerk'], options: { person: true } };
    const run = await world.client.start('sequential', { agents: [desk], task: 'Buy tea' });
    await untilAsked(run, 'op-1~question-1');
    await run.respond('op-1~question-1', { message: 'no', end: true }, { by: 'anna' });
    await run.result();

    expect(await run.audit()).toMatchObject([{ requestId: 'op-1~question-1', status: 'answered', by: 'anna', agent: 'clerk' }]);
  });
});

describe('parts in the store', () => {
  test('go along with an export, and are shared by forks', async () => {
    await using world = await open();
    await using elsewhere = await open();
    const run = await busy(world);
    const fork = await run.fork();
    await untilAsked(fork, last);
    const document = await run.export();
    const loaded = await elsewhere.client.import(document).then(({ id }) => elsewhere.client.load(id));
    await untilAsked(loaded, last);

    for (const one of [fork, loaded]) {
      expect((await one.audit()).slice(0, 60)).toEqual((await run.audit()).slice(0, 60));
      await one.respond(last, 'yes');
      await one.result();
      expect(await one.audit()).toHaveLength(61);
    }
    const page = await pageOf(run);
    const { [page.last as string]: _, ...blobs } = document.blobs;
    await expect(elsewhere.client.import({ ...document, blobs })).rejects.toMatchObject({
      type: 'State.Unreadable',
      message: expect.stringContaining(`blobs.${page.last}: is missing`),
    });
    await run.cancel();
    await run.result();
  });

  test('stay as long as anything refers to them, and go with the run', async () => {
    await using world = await open();
    const run = await busy(world);
    const { last: part } = await pageOf(run);
    await eventually(async () => expect((await world.client.list({ limit: 100 })).map(({ id }) => id)).toContain(run.id));
    for (let i = 0; i < 2; i++) await collect(world);
    expect(await run.audit()).toHaveLength(61);
    await run.cancel();
    await run.result();
    for (let i = 0; i < 2; i++) await collect(world);
    expect(await run.audit()).toHaveLength(61);

    await world.client.deleteRun(run.id, { now: true } as never);
    await eventually(async () => {
      await collect(world);
      expect(await world.store.blobs.get(part as string)).toBeUndefined();
    });
  });

  test('are told of a run that Temporal has forgotten', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ostinato-audit-'));
    const forgetful = await timeSkippingServer();
    const config = { dataDir, taskQueue: `audit-${randomUUID()}` };
    try {
      await using world = await open({ config });
      const run = await busy(world);
      const { last: part } = await pageOf(run);
      await run.respond(last, 'yes');
      await run.result();
      const record = await run.audit();

      await using later = await open({ config, environment: forgetful, workflowsPath: undefined });
      expect(await later.client.attach(run.id).audit()).toEqual(record);
      expect(record).toHaveLength(61);
      const written = JSON.parse((await later.store.blobs.get(part as string)) ?? '') as AuditPart;
      expect(written.entries).toHaveLength(50);
    } finally {
      await forgetful.teardown();
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  test.each<[string, (text: string) => string | undefined, RegExp]>([
    ['lost', () => undefined, /the store has not got it/],
    ['no JSON', () => 'x', /it is not JSON/],
    ['something else', () => '{}', /expected/],
    ['of another chain', (text) => JSON.stringify({ ...(JSON.parse(text) as AuditPart), count: 7 }), /does not follow/],
  ])('that are %s are told as a failure of their own, and the run goes on', async (_, damage, message) => {
    await using world = await open();
    const run = await busy(world);
    const { last: part } = await pageOf(run);
    const { get } = world.store.blobs;
    const damaged = vi.spyOn(world.store.blobs, 'get').mockImplementation(async (id) => {
      const text = await get.call(world.store.blobs, id);
      return id === part ? damage(text ?? '') : text;
    });

    await expect(run.audit()).rejects.toMatchObject({ type: 'State.Unreadable', message: expect.stringMatching(message) });
    await run.respond(last, 'yes');
    expect(await run.result()).toMatchObject({ status: 'completed' });

    damaged.mockRestore();
    expect(await run.audit()).toHaveLength(61);
  });
});
