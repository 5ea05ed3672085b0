/** What holds for every pattern: a snapshot of any moment is enough to come to the same end, somewhere else or here. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RunHandle } from '../../src/client.js';
import type { RunInput } from '../../src/index.js';
import { openWorld, type Script, type ScriptedReply, type World } from '../support/world.js';
import { eventually } from '../support/eventually.js';
import { scenes, scriptOf, type Scene } from '../support/scenes.js';
import { devServer } from '../support/servers.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await devServer();
});
afterAll(async () => {
  await environment?.teardown();
});

type Lines = { [model: string]: ScriptedReply[] };
const names = Object.keys(scenes) as (keyof typeof scenes)[];
const linesOf = (scene: Scene) => scriptOf(scene) as Lines;
const left = (lines: Lines, said: string[]): Lines =>
  Object.fromEntries(Object.entries(lines).map(([model, list]) => [model, list.slice(said.filter((name) => name === model).length)]));

/** A model that says each line when it is let. */
function stage(lines: Lines) {
  const waiting: (() => void)[] = [];
  const said: string[] = [];
  let rest = left(lines, []);
  const script: Script = Object.fromEntries(
    Object.keys(lines).map((model) => [
      model,
      async () => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        said.push(model);
        return rest[model]?.shift() ?? { status: 400, body: { error: { message: 'No line is left.' } } };
      },
    ]),
  );
  const next = () => waiting.shift()?.();
  return {
    script,
    said,
    next,
    goOnWith: (others: Lines) => (rest = others),
    isHeld: () => waiting.length > 0,
    /** Lets all be said until the promise is kept, as long as it takes somebody's words: whoever is held then holds up what was asked for. */
    async until<T>(promise: Promise<T>, isHeldUp: () => Promise<boolean> = () => Promise.resolve(true)): Promise<T> {
      let isOver = false;
      const done = promise.finally(() => (isOver = true));
      done.catch(() => undefined);
      for (; !isOver; await new Promise((resolve) => setTimeout(resolve, 20))) if (waiting.length > 0 && (await isHeldUp())) next();
      return await done;
    },
  };
}

const sorted = (list: string[]) => [...list].sort();
const start = async (world: World, pattern: string, scene: Scene): Promise<RunHandle> =>
  await world.client.start(pattern, { task: 'go', ...scene.input } as RunInput);
const isPending = async (run: RunHandle, asked: string) =>
  (await run.status()).operations.some((told) => told.kind !== 'nested' && told.kind === asked && told.status === 'pending');
const asked = async (run: RunHandle, kind: string) => await eventually(async () => expect(await isPending(run, kind)).toBe(true));

describe.each(names.flatMap((pattern) => scenes[pattern].asked.map((_, step) => [pattern, step + 1] as const)))(
  '%s, saved after step %i,',
  (pattern, step) => {
    const scene = scenes[pattern];
    const isLast = step === scene.asked.length;

    test('comes to the same end from there, in another place', async () => {
      const play = stage(linesOf(scene));
      await using here = await openWorld({ environment, script: play.script });
      const run = await start(here, pattern, scene);
      const snapshotId = await saveAfter(step, play, run);
      const rest = left(linesOf(scene), play.said);
      const document = JSON.stringify(await here.client.export(snapshotId));
      await play.until(run.result());

      await using there = await openWorld({ environment, script: rest });
      const { id } = await there.client.import(document);
      const loaded = await there.client.load(id);

      expect(await loaded.result()).toMatchObject({ status: 'completed', output: scene.output });
      there.model.assertComplete();
      expect((await loaded.transcript()).map(({ message }) => message.contents[0]?.$type)).toEqual(
        (await run.transcript()).map(({ message }) => message.contents[0]?.$type),
      );
      expect(await loaded.status()).toMatchObject({ origin: { snapshotId, workflowId: run.id } });
    });

    // After the last step there is nothing to put back.
    if (isLast) return;
    test('is put back to there in the middle of the next step, and comes to the same end', async () => {
      const play = stage(linesOf(scene));
      await using world = await openWorld({ environment, script: play.script });
      const run = await start(world, pattern, scene);
      const snapshotId = await saveAfter(step, play, run);
      const saved = [...play.said];
      await eventually(() => expect(play.isHeld()).toBe(true));
      // What is in flight is said before the run goes back, and then said again.
      const again = left(linesOf(scene), saved);
      const inFlight = scene.asked[saved.length] as string;
      play.goOnWith({
        ...again,
        [inFlight]: [(again[inFlight] as ScriptedReply[])[0] as ScriptedReply, ...(again[inFlight] as ScriptedReply[])],
      });
      const going = run.rollback({ snapshotId });
      await asked(run, 'rollback');
      await play.until(going, () => isPending(run, 'rollback'));

      expect(await play.until(run.result())).toMatchObject({ status: 'completed', output: scene.output });
      expect(sorted(play.said)).toEqual(sorted([...scene.asked, inFlight]));
      expect((await run.snapshots()).map(({ reason }) => reason)).toEqual(['finished', 'rollback', 'asked']);
    });
  },
);

/** Saved once so many have spoken. */
async function saveAfter(step: number, play: ReturnType<typeof stage>, run: RunHandle): Promise<string> {
  for (let i = 0; i < step - 1; i++) {
    await eventually(() => expect(play.isHeld()).toBe(true));
    play.next();
  }
  await eventually(() => expect(play.isHeld()).toBe(true));
  const saving = run.save();
  await asked(run, 'save');
  play.next();
  return (await play.until(saving, () => isPending(run, 'save'))).snapshotId;
}
