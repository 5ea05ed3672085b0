/** What holds for every pattern: whoever works on a run may be lost between any two steps, and a run may be ended at any time. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RunHandle } from '../../src/client.js';
import { patternNames, textOf, type RunInput } from '../../src/index.js';
import { openWorld, type World, type WorldOptions } from '../support/world.js';
import { scenes, scriptOf, type Scene } from '../support/scenes.js';
import { timeSkippingServer } from '../support/servers.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const open = (scene: Scene, options: Partial<WorldOptions> = {}): Promise<World> =>
  openWorld({ environment, script: scriptOf(scene), ...options });
const names = Object.keys(scenes) as (keyof typeof scenes)[];
const askedIn = (world: World) => world.model.calls.map(({ model }) => model);
const sorted = (list: string[]) => [...list].sort();

/** Those who speak side by side are heard in the order in which they were done, which is not always the same. */
const inOrder = <T>(list: T[], pattern: string): T[] =>
  pattern === 'concurrent' ? [...list].sort((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other))) : list;

/** What each model was shown, call by call. */
function heardIn({ model }: World, pattern: string) {
  const calls = model.calls.map((call) => ({ model: call.model, messages: inOrder(call.messages, pattern) }));
  return calls.sort((one, other) => one.model.localeCompare(other.model));
}

async function saidIn(run: RunHandle, pattern: string): Promise<string[]> {
  return inOrder(
    (await run.transcript()).map(({ message }) => textOf(message)),
    pattern,
  );
}

test('there is a scene for every pattern', () => {
  expect(sorted([...names, 'session'])).toEqual(sorted(patternNames));
});

describe.each(names)('%s', (pattern) => {
  const scene = scenes[pattern];
  const start = async (world: World, more: object = {}) =>
    await world.client.start(pattern as string, { task: 'go', ...scene.input, ...more } as RunInput);

  // A worker that keeps no run in memory finds it at each step as one does that has never seen it.
  test('goes on with another worker at every step, and repeats no model call', async () => {
    await using world = await open(scene, { config: { worker: { maxCachedWorkflows: 0 } } });

    const run = await start(world);

    expect(await run.result()).toMatchObject({ status: 'completed', output: scene.output });
    expect(sorted(askedIn(world))).toEqual(sorted(scene.asked));
    world.model.assertComplete();
  });

  test('continues as new again and again, and says and hears the same', async () => {
    await using world = await open(scene);
    const plain = await start(world);
    await plain.result();
    await using again = await open(scene, { historyEvents: 5 });

    const run = await start(again);

    expect(await run.result()).toMatchObject({ status: 'completed', output: scene.output });
    expect((await run.checkpoint()).continuations).toBeGreaterThanOrEqual(1);
    expect(heardIn(again, pattern)).toEqual(heardIn(world, pattern));
    expect(await saidIn(run, pattern)).toEqual(await saidIn(plain, pattern));
  });

  test('is cancelled before it has begun: nobody is asked', async () => {
    await using world = await open(scene);
    await world.worker.stop();
    const run = await start(world);
    await environment.client.workflow.getHandle(run.id).signal('cancel', { reason: 'no longer needed' });

    await world.startWorker();

    expect(await run.result()).toMatchObject({ status: 'cancelled', stopReason: { code: 'cancelled', message: 'no longer needed' } });
    expect(world.model.calls).toEqual([]);
  });

  test('is cancelled in the middle: what is in flight ends, and nothing begins after it', async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const held = async () => {
      await released;
      return 'the last words';
    };
    await using world = await openWorld({ environment, script: held });
    const run = await start(world);
    await world.model.called(1);

    expect(await run.cancel({ reason: 'enough' })).toEqual({ status: 'cancelling' });
    const asked = world.model.calls.length;
    release();

    expect(await run.result()).toMatchObject({ status: 'cancelled', stopReason: { code: 'cancelled', message: 'enough' } });
    expect(world.model.calls.length).toBeLessThanOrEqual(Math.max(asked, pattern === 'concurrent' ? 2 : 1));
  });

  test('is cancelled at once: the model call is aborted', async () => {
    await using world = await openWorld({ environment, script: () => ({ hang: true }) });
    const run = await start(world);
    await world.model.called(1);

    await run.cancel({ mode: 'immediate' });
    await world.model.aborted(1);

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: pattern === 'concurrent' ? [] : null });
  });

  test('is cancelled after its end: that only tells the status', async () => {
    await using world = await open(scene);
    const run = await start(world);
    const before = await run.result();

    expect(await run.cancel()).toEqual({ status: 'completed' });
    expect(await Promise.all([run.result(), run.result({ timeout: '1 minute' })])).toEqual([before, before]);
  });

  test('goes on with the conversation of a finished run', async () => {
    await using first = await open(scene);
    const earlier = await start(first);
    await earlier.result();
    const said = (await earlier.transcript()).length;

    const later = await start(first, { conversation: earlier.id, task: 'and now this' });
    // Nobody has words left: it fails at its first model call, which has heard everything.
    await expect(later.result()).rejects.toMatchObject({ type: expect.stringMatching(/^Model\./) });

    const heard = JSON.stringify(first.model.calls.at(-1)?.messages);
    expect(heard).toContain('go');
    expect(heard).toContain('and now this');
    expect((await later.transcript()).length).toBeGreaterThan(said);
  });
});
