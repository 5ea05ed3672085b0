/** Environments, that is namespaces and task queues, over one data directory and one server: none ever sees anything of another. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connect, type OstinatoClient, type RunHandle } from '../src/client.js';
import type { RunEvent } from '../src/contract/event.js';
import { textOf } from '../src/contract/message.js';
import { prepareNamespace } from '../src/dev/namespace.js';
import { openStore } from '../src/store/open-store.js';
import type { Store } from '../src/store/store.js';
import { scriptedModel, type ScriptedModel } from '../src/testing/index.js';
import { startWorker, type RunningWorker } from '../src/worker.js';
import { builtWorkflows } from './support/built.js';
import { eventually } from './support/eventually.js';
import { devServerConfig, temporalForTests } from './support/servers.js';
import { temporaryDirectory } from './support/temporary.js';

/** A worker, its model, a client and the store, as one environment sees them. */
interface Place {
  name: string;
  client: OstinatoClient;
  model: ScriptedModel;
  store: Store;
  worker: RunningWorker;
}

const here = { namespace: 'default', taskQueue: `here-${randomUUID()}` };
const places: { [name: string]: Place } = {};
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  const otherNamespace = `other-${randomUUID()}`;
  await prepareNamespace(temporalForTests().address, otherNamespace);
  directory = await temporaryDirectory();
  const workflowBundle = builtWorkflows();
  const open = async (name: string, environment: { namespace: string; taskQueue: string }) => {
    const config = devServerConfig({ ...environment, dataDir: directory.path });
    const model = await scriptedModel((call) => (String(call.messages.at(-1)?.content) === 'wait' ? { hang: true } : `${name} says so`));
    const worker = await startWorker({ config, workflowBundle, providers: model.providers({ maxConcurrentCalls: 1 }) });
    const store = await openStore({ dataDir: directory.path, environment });
    places[name] = { name, model, worker, store, client: await connect({ config, store }) };
  };
  await open('home', here);
  await open('abroad', { ...here, namespace: otherNamespace });
  await open('next door', { ...here, taskQueue: `next-door-${randomUUID()}` });
});

afterEach(() => {
  for (const { model } of Object.values(places)) model.calls.splice(0);
});

afterAll(async () => {
  for (const { client, worker, model, store } of Object.values(places)) {
    await worker.stop();
    await client.close();
    await model.close();
    await store.close();
  }
  await directory?.[Symbol.asyncDispose]();
});

const speaker = { name: 'speaker', instructions: 'Speak.' };

async function eventsOf(run: RunHandle): Promise<RunEvent[]> {
  const events = [];
  for await (const event of run.watch({ onIdle: async () => true })) events.push(event);
  return events;
}

describe('the same workflow id in two namespaces, with the same task queue', () => {
  test('is two conversations at the same time', async () => {
    const sessions = [places.home!, places.abroad!].map((place) => ({ place, session: place.client.session(speaker, 'anna') }));

    await Promise.all(sessions.map(({ place, session }) => session.say(`first, ${place.name}`)));
    await Promise.all(sessions.map(({ place, session }) => session.say(`second, ${place.name}`)));

    for (const { place, session } of sessions) {
      const said = [`first, ${place.name}`, `${place.name} says so`, `second, ${place.name}`, `${place.name} says so`];
      expect((await session.transcript()).map(({ message }) => textOf(message))).toEqual(said);
      expect(place.model.calls.map(({ messages }) => messages.slice(1).map(({ content }) => content))).toEqual([
        said.slice(0, 1),
        said.slice(0, 3),
      ]);
      const events = JSON.stringify(await eventsOf(session));
      expect(events).toContain(`${place.name} says so`);
      expect(events).not.toContain(`${place.name === 'home' ? 'abroad' : 'home'} says so`);
      await eventually(async () => expect((await place.client.list()).filter(({ id }) => id === session.id)).toHaveLength(1));
    }
  });

  test('does not share what is stored, not even under the same content hash', async () => {
    const run = await places.home!.client.start('sequential', { agents: [{ ...speaker, instructions: randomUUID() }], task: 'go' });
    await run.result();
    const { team, transcript } = await run.checkpoint();

    for (const id of [team!, transcript.head!.part]) {
      expect(await places.home!.store.blobs.get(id)).toBeDefined();
      expect(await places.abroad!.store.blobs.get(id)).toBeUndefined();
      expect(await places['next door']!.store.blobs.get(id)).toBeUndefined();
    }
  });

  test('does not share a limit of a provider', async () => {
    const waiting = await places.home!.client.start('sequential', { agents: [speaker], task: 'wait' });
    await places.home!.model.called(1);

    const run = await places.abroad!.client.start('sequential', { agents: [speaker], task: 'go' });

    expect((await run.result({ timeout: '1 minute' })).output).toBe('abroad says so');
    await waiting.cancel({ mode: 'immediate' });
  });
});

describe('the same workflow id in two task queues of a namespace', () => {
  test('belongs to the one that has it open; the other is refused', async () => {
    const [mine, theirs] = [places.home!, places['next door']!].map(({ client }) => client.session(speaker, 'ben'));
    await mine!.say('hello');

    await expect(theirs!.say('hello')).rejects.toMatchObject({ type: 'Run.OtherEnvironment' });

    expect(await mine!.transcript()).toHaveLength(2);
    expect(places['next door']!.model.calls).toHaveLength(0);
  });

  test('begins anew in the other when it has ended in the first', async () => {
    const id = `run-${randomUUID()}`;
    const first = await places.home!.client.start('sequential', { agents: [speaker], task: 'the first' }, { id });
    await first.result();

    const second = await places['next door']!.client.start('sequential', { agents: [speaker], task: 'the second' }, { id });

    expect((await second.result()).output).toBe('next door says so');
    expect((await second.transcript()).map(({ message }) => textOf(message))).toEqual(['the second', 'next door says so']);
    expect(JSON.stringify(await eventsOf(second))).not.toMatch(/the first|home says so/);
    expect(places.home!.model.calls).toHaveLength(1);
    expect(await places.home!.store.events.end({ workflowId: id, firstRunId: (await second.status()).firstRunId })).toBe(0);
  });

  test('is no conversation that the other could go on with', async () => {
    const first = await places.home!.client.start('sequential', { agents: [speaker], task: 'between us' });
    await first.result();

    const second = await places['next door']!.client.start('sequential', { agents: [speaker], task: 'go on', conversation: first.id });

    await expect(second.result({ timeout: '1 minute' })).rejects.toMatchObject({ type: 'Run.OtherEnvironment' });
    expect(places['next door']!.model.calls).toHaveLength(0);
  });
});
