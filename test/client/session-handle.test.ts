import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OstinatoClient } from '../../src/client.js';
import { eventually } from '../support/eventually.js';
import { devServer } from '../support/servers.js';
import { openStage, type Stage } from '../support/stage.js';

let environment: TestWorkflowEnvironment;
let stage: Stage;
let client: OstinatoClient;
beforeAll(async () => {
  environment = await devServer();
  stage = await openStage({ environment, config: { worker: { shutdownGraceMs: 1000 } } });
  client = stage.world.client;
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

describe('saying something to a session', () => {
  test('brings the words as they come', async () => {
    const { agent } = stage.actor(['first', { text: 'one two three', reasoning: 'hmm', delayMs: 400 }], { name: 'guide' });
    const session = client.session(agent, randomUUID());
    await session.say('hi');
    const pieces: string[] = [];

    const { reply } = await session.say('and?', { onDelta: (text) => pieces.push(text) });

    expect(reply).toBe('one two three');
    expect(pieces.join('')).toBe(reply);
    expect(pieces.length).toBeGreaterThan(1);
  });

  test('gives up after the time given; the same id later brings the reply, also from another process', async () => {
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const { agent, calls } = stage.actor(async () => answered.then(() => 'at last'), { name: 'guide' });
    const session = client.session(agent, randomUUID());

    await expect(session.say('hi', { id: 'm1', timeout: '300 ms' })).rejects.toMatchObject({ type: 'Run.TimedOut' });
    await eventually(async () => expect(await session.turn('m1')).toMatchObject({ status: 'running' }));
    answer();

    expect(await client.session(agent, session.id.split('/')[2]!).say('hi', { id: 'm1' })).toMatchObject({
      turnId: 'm1',
      reply: 'at last',
    });
    expect(calls).toHaveLength(1);
  });

  test.each(['soon', -1])('for %j is refused before anything is said', async (timeout) => {
    const session = client.session(stage.actor([], { name: 'guide' }).agent, randomUUID());

    await expect(session.say('hi', { timeout })).rejects.toMatchObject({ type: 'Input.Invalid' });
    await expect(session.status()).rejects.toMatchObject({ type: 'Run.NotFound' });
  });

  test('that has been closed opens it anew, also for those who knew the old one', async () => {
    const { agent } = stage.actor(['old', 'new', 'newer'], { name: 'guide' });
    const session = client.session(agent, randomUUID());
    await session.say('one');
    const old = client.attach(session.id);
    await old.status();
    await session.cancel();
    await session.result();

    await expect(old.say('hello?')).rejects.toMatchObject({ type: 'Run.Closed' });
    const pieces: string[] = [];
    expect(await session.say('two', { onDelta: (text) => pieces.push(text) })).toMatchObject({ reply: 'new' });

    expect(pieces.join('')).toBe('new');
    expect(await session.transcript()).toHaveLength(2);
    expect(await old.say('three')).toMatchObject({ reply: 'newer' });
  });

  test('that ends meanwhile is told so', async () => {
    const { agent, calls } = stage.actor(() => ({ hang: true }), { name: 'guide' });
    const session = client.session(agent, randomUUID());
    const waiting = session.say('hi');
    await eventually(() => expect(calls).toHaveLength(1));
    const queued = session.say('and?');
    await eventually(async () => expect((await session.status()).inbox).toBe(1));

    const outcomes = Promise.allSettled([waiting, queued]);

    await session.cancel({ mode: 'immediate' });

    for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { type: 'Run.Closed' } });
  });

  test('is accepted once, however many say it at the same time', async () => {
    const { agent, calls } = stage.actor((call) => `heard ${call.messages.at(-1)?.content}`, { name: 'guide' });
    const key = randomUUID();
    const say = () => client.session(agent, key).say('hi', { id: 'same' });

    const replies = await Promise.all(Array.from({ length: 8 }, say));

    expect(new Set(replies.map(({ reply }) => reply))).toEqual(new Set(['heard hi']));
    expect(calls).toHaveLength(1);
    expect(await client.session(agent, key).transcript()).toHaveLength(2);
  });
});
