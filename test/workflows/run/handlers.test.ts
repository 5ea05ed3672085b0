import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SessionHandle } from '../../../src/client.js';
import type { RunEvent } from '../../../src/contract/event.js';
import { currentStateVersion } from '../../../src/state/run-state.js';
import { activitiesIn, failedTasksIn, historyOf } from '../../support/history.js';
import { garbage, json, nestedJson, payload, RawTemporal, type RawPayload } from '../../support/raw.js';
import { devServer } from '../../support/servers.js';
import { openStage, type Stage } from '../../support/stage.js';

let environment: TestWorkflowEnvironment;
let stage: Stage;
let raw: RawTemporal;
beforeAll(async () => {
  environment = await devServer();
  stage = await openStage({ environment, historyEvents: 1000 });
  raw = new RawTemporal(environment);
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

/** A session that has answered once. */
async function openSession(reply = (said: string) => `heard: ${said}`): Promise<SessionHandle> {
  const { agent } = stage.actor(async (call) => reply(call.messages.at(-1)?.content ?? ''), { name: 'guide' });
  const session = stage.world.client.session(agent, randomUUID());
  await session.say('before');
  return session;
}

async function historyOfRun(session: SessionHandle) {
  return await historyOf(environment, session.id, (await session.status()).firstRunId);
}

async function eventsOf(session: SessionHandle): Promise<RunEvent[]> {
  const log = { workflowId: session.id, firstRunId: (await session.status()).firstRunId };
  return await stage.world.store.events.read(log, { epoch: 0, seq: 0 }, { limit: 5000 });
}

/** It goes on as if nothing had happened: what was said before is there, and a good message is answered. */
async function expectUnharmed(session: SessionHandle): Promise<void> {
  expect((await session.say('after')).reply).toBe('heard: after');
  expect(await session.transcript()).toHaveLength(4);
  expect(failedTasksIn(await historyOfRun(session))).toEqual([]);
}

const refusalsIn = (events: RunEvent[]) => events.flatMap((event) => (event.type === 'input.refused' ? [event.handler] : []));

describe('a session is not harmed by', () => {
  const messages: [name: string, input: RawPayload[] | undefined][] = [
    ...garbage,
    ['another object', [json({ text: 'hello' })]],
    ['a message of the wrong type', [json({ message: 7 })]],
    ['an id of the wrong type', [json({ message: 'hello', id: {} })]],
    ['an object where a text should be', [json({ message: { role: 'user', contents: [{ $type: 'text', text: { toString: 1 } }] } })]],
    ['a message that pretends', [payload('json/plain', '{"__proto__": {"message": "hello"}}')]],
    ['a message nested too deep', [payload('json/plain', `{"message": ${nestedJson(100_000)}}`)]],
    ['a megabyte of text', [json({ message: 'x'.repeat(1024 ** 2) })]],
  ];

  test('what is not a message, sent as a message by signal and by update', async () => {
    const session = await openSession();

    for (const [name, input] of messages) {
      await raw.signal(session.id, 'say', input);
      expect([name, (await raw.update(session.id, 'say', input))?.type]).toEqual([name, 'Input.Invalid']);
    }

    await expectUnharmed(session);
    expect(refusalsIn(await eventsOf(session))).toEqual(messages.map(() => 'say'));
  });

  test('what is not a cancellation, sent as one', async () => {
    const session = await openSession();
    // To say nothing is enough to cancel.
    const cancellations = ['no argument', 'an empty list of arguments', 'null'];
    const others: typeof garbage = [
      ...garbage.filter(([name]) => !cancellations.includes(name)),
      ['an unknown mode', [json({ mode: 'brutal' })]],
      ['a reason of the wrong type', [json({ reason: 7 })]],
    ];

    for (const [name, input] of others) {
      await raw.signal(session.id, 'cancel', input);
      expect([name, (await raw.update(session.id, 'cancel', input))?.type]).toEqual([name, 'Input.Invalid']);
    }

    await expectUnharmed(session);
    expect(refusalsIn(await eventsOf(session))).toEqual(others.map(() => 'cancel'));
  });

  test('signals and updates of names that nobody knows, or that belong to somebody else', async () => {
    const session = await openSession();
    const names = ['nobody', 'status', 'transcript', 'SAY', 'constructor', '__proto__', '__stack_trace', 'x'.repeat(900)];
    const reserved = ['__temporal_workflow_metadata', '__temporal_something'];

    for (const name of [...names, ...reserved]) {
      await raw.signal(session.id, name, [json({ message: 'hello' })]);
      await raw.signal(session.id, name, [payload('json/plain', '{')]);
      expect([name, await raw.update(session.id, name, [json({ message: 'hello' })])]).toEqual([name, expect.anything()]);
    }

    await expectUnharmed(session);
    const refused = [...names.map((name) => name.slice(0, 200)), ...reserved.map((name) => `(reserved) ${name}`)];
    expect(refusalsIn(await eventsOf(session))).toEqual(refused.flatMap((name) => [name, name]));
  });

  test('thousands of signals that it refuses', async () => {
    const session = await openSession();

    for (let sent = 0; sent < 2000; sent += 100) {
      await Promise.all(Array.from({ length: 100 }, () => raw.signal(session.id, 'say', [json({ message: '' })])));
    }

    await expectUnharmed(session);
    expect(refusalsIn(await eventsOf(session)).length).toBeGreaterThan(0);
    // A waiting session, too, leaves its history behind when it grows long.
    expect((await session.checkpoint()).continuations).toBeGreaterThanOrEqual(1);
  });

  test('hundreds of them during a turn: no other event is lost, and none of them travels far', async () => {
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const { agent, calls } = stage.actor(async () => answered.then(() => 'at last'), { name: 'guide' });
    const session = stage.world.client.session(agent, randomUUID());
    const asked = session.say('first', { id: 'first' });
    while (calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));

    await Promise.all(Array.from({ length: 400 }, (_, i) => raw.signal(session.id, `${i}`.padEnd(300, '-'), undefined)));
    await session.send('second', 'second');
    answer();
    await asked;
    await session.say('third', { id: 'third' });

    const events = await eventsOf(session);
    for (const type of ['message.received', 'turn.started', 'turn.completed']) {
      expect([type, events.filter((event) => event.type === type).length]).toEqual([type, 3]);
    }
    const inputs = activitiesIn(await historyOfRun(session)).map(({ inputBytes }) => inputBytes);
    expect(Math.max(...inputs)).toBeLessThan(40 * 1024);
  });
});

describe('a run started with', () => {
  test.each([
    ...garbage,
    ['a document nested too deep', [payload('json/plain', `{"task": ${nestedJson(100_000)}}`)]],
    ['state nested too deep', [payload('json/plain', `{"state": ${nestedJson(100_000)}}`)]],
    ['state that is not ours', [json({ state: { stateVersion: 2 } })]],
  ] as typeof garbage)('%s fails at once, and says so', async (_, input) => {
    const id = `bad/${randomUUID()}`;
    await raw.start(id, stage.world.taskQueue, 'session', input);
    const run = stage.world.client.attach(id);

    const failure = await run.result({ timeout: '1 minute' }).catch((error: unknown) => error as { type: string; message: string });

    const { type, message } = failure as { type: string; message: string };
    expect(type).toMatch(/^(Input\.Invalid|State\.Unreadable)$/);
    expect(message).toMatch(/input|document|state/);
    const status = await run.status();
    expect(status).toMatchObject({ status: 'failed', failure: { type, message } });
    expect(failedTasksIn(await historyOf(environment, id, status.firstRunId))).toEqual([]);
    const events = [];
    for await (const event of run.watch()) events.push(event);
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', failure: { type } });
  });
});

describe('a query', () => {
  test('answers whatever it is asked', async () => {
    const session = await openSession();
    const nonsense: typeof garbage = [
      ...garbage,
      ['members of wrong types', [json({ after: 'x', limit: {}, turnId: [], agent: null })]],
      ['negative numbers', [json({ after: -1, limit: -1 })]],
      ['numbers that are not whole', [json({ after: 0.5, limit: 1.5 })]],
    ];

    for (const [name, input] of nonsense) {
      const answer = async (query: string) => [name, query, await raw.query(session.id, query, input)];
      expect(await answer('status')).toEqual([name, 'status', expect.objectContaining({ status: 'waiting' })]);
      expect(await answer('checkpoint')).toEqual([name, 'checkpoint', expect.objectContaining({ stateVersion: currentStateVersion })]);
      expect(await answer('transcript')).toEqual([name, 'transcript', expect.objectContaining({ length: 2, from: 0 })]);
      expect(await answer('state')).toEqual([name, 'state', expect.objectContaining({ length: 2, from: 0 })]);
      expect(await answer('turn')).toEqual([name, 'turn', expect.objectContaining({ status: 'unknown' })]);
    }
    await expectUnharmed(session);
  });

  test('beyond the end is empty, and none without a limit goes on for ever', async () => {
    const session = await openSession();

    expect(await raw.query(session.id, 'transcript', [json({ after: 1e9 })])).toMatchObject({ length: 2, entries: [] });
    expect(await raw.query(session.id, 'transcript', [json({ limit: 0 })])).toMatchObject({ from: 0, entries: [{}], next: 1 });
  });

  test.each([
    ['a stranger', { agent: 'nobody' }],
    ['what is no name', { agent: { toString: 1 } }],
  ])('for the state of %s is refused with the names there are', async (_, input) => {
    const session = await openSession();

    await expect(raw.query(session.id, 'state', [json(input)])).rejects.toThrow(/is not in this run's team \(guide\)/);
  });
});
