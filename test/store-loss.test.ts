/** A store in PostgreSQL, from end to end; and a store that is away for a while, which delays a run and harms nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { textOf } from '../src/index.js';
import { openWorld, type ScriptedCall } from './support/world.js';
import { postgresServer, type PostgresServer } from './support/postgres.js';
import { devServer } from './support/servers.js';

let environment: TestWorkflowEnvironment;
let postgres: PostgresServer;
beforeAll(async () => {
  [environment, postgres] = await Promise.all([devServer(), postgresServer()]);
});
afterAll(async () => {
  await environment?.teardown();
  await postgres?.stop();
});

const clerk = { name: 'clerk', model: 'clerk', instructions: 'Answer.' };
const worldWith = async (script: object, database: string) =>
  await openWorld({ environment, script: script as never, config: { storeUrl: await postgres.url(database) } });

describe('with a store in PostgreSQL', () => {
  test('a session is held, saved, put back, exported, and goes on in a store of another kind', async () => {
    await using world = await worldWith({ clerk: ['one', 'two', 'three'] }, 'whole');
    const session = world.client.session(clerk, 'in postgres');
    await session.say('1');
    const { snapshotId } = await session.save();
    await session.say('2');
    await session.rollback({ snapshotId });
    await session.say('3');
    const document = JSON.stringify(await session.export());

    await using file = await openWorld({ environment, script: { clerk: ['four'] } });
    const loaded = await file.client.load((await file.client.import(document)).id);
    await loaded.say('4');

    expect((await loaded.transcript()).map(({ message }) => textOf(message))).toEqual(['1', 'one', '3', 'three', '4', 'four']);
    expect((await session.snapshots()).map(({ reason }) => reason)).toEqual(['asked', 'rollback', 'asked']);
  });

  test('a store that dies in the middle of a turn delays it, and nothing is lost', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const words: { [said: string]: string } = { 1: 'one', 2: 'two '.repeat(5000), 3: 'three' };
    // A reply that could not be stored is asked for again: it was not finished.
    const script = async (call: ScriptedCall) => {
      const said = ['3', '2', '1'].find((text) => call.heard('user', text)) as string;
      if (said === '2') await held;
      return words[said] as string;
    };
    await using world = await worldWith({ clerk: script }, 'dies');
    const session = world.client.session(clerk, 'store dies');
    await session.say('1');
    await session.send('2', 'second');
    await world.model.called(2);

    await postgres.kill();
    release();
    await new Promise((resolve) => setTimeout(resolve, 7000));
    await postgres.start();
    const { reply } = await session.say('2', { id: 'second' });
    const third = await session.say('3');

    expect(reply).toBe('two '.repeat(5000));
    expect(third.reply).toBe('three');
    expect(world.model.calls.filter((call) => !call.heard('user', '2'))).toHaveLength(1);
    expect((await session.transcript()).map(({ message }) => textOf(message).slice(0, 5).trim())).toEqual([
      '1',
      'one',
      '2',
      'two t',
      '3',
      'three',
    ]);
  });

  test('a store that is away while a run is saved delays that; and then the snapshot is whole', async () => {
    await using world = await worldWith({ clerk: ['one', 'two'] }, 'away');
    const session = world.client.session(clerk, 'store away');
    await session.say('1');

    await postgres.kill();
    const saving = session.save({ label: 'in between' });
    await new Promise((resolve) => setTimeout(resolve, 4000));
    await postgres.start();
    const { snapshotId } = await saving;

    expect((await session.say('2')).reply).toBe('two');
    expect(Object.keys((await world.client.export(snapshotId)).blobs).length).toBeGreaterThan(2);
    expect(await session.snapshots()).toHaveLength(1);
  });
});
