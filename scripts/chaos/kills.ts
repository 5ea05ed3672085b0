/** Every way in which a process is lost here. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerProcess } from '../../test/support/workers.js';
import type { Dice } from './dice.js';
import type { World } from './world.js';

type Kill = (world: World, dice: Dice, begin: Begin) => Promise<unknown>;

/** Begins another run: with `large`, one whose transcript has to be sealed; with `state`, one that is saved and loaded. */
export type Begin = (options?: { large?: true; state?: true }) => void;

/** How long a process may take to come to the place where it is to be lost. */
const reachMs = 8000;

export const kills: { [kind: string]: Kill } = {
  'worker: at any moment': async (world, dice) => {
    const alive = await world.untilAlive(1);
    await sleep(dice.between(0, 1000));
    await dice.pick(alive).kill();
  },
  'worker: asked the model': async (world) => (await asking(world))?.kill(),
  'worker: is being answered': async (world, dice) => {
    const worker = await asking(world);
    await sleep(dice.between(20, 250));
    await worker?.kill();
  },
  'worker: was answered': dies('callModel append message.completed', { sides: true }),
  'worker: reads the transcript': dies('callModel get', { sides: true }),
  'worker: writes the transcript': dies('callModel put', { sides: true }),
  'worker: in a tool, before its effect': dies('tool before its effect'),
  'worker: in a tool, after its effect': dies('tool after its effect'),
  'worker: a tool has returned': dies('callTool append tool.returned', { sides: true }),
  'worker: in a workflow task': dies('publish', { sides: true }),
  'worker: seals the transcript': dies('sealSegment', { sides: true, provoke: (begin) => begin({ large: true }) }),
  'worker: loads the team': dies('loadTeam', { sides: true, provoke: (begin) => begin() }),
  'worker: saves a snapshot': dies('saveSnapshot', { sides: true, provoke: (begin) => begin({ state: true }) }),
  'worker: loads a snapshot': dies('loadSnapshot', { sides: true, provoke: (begin) => begin({ state: true }) }),
  'workers: all at once': async (world) => await Promise.all((await world.untilAlive()).map((worker) => worker.kill())),
  'worker: paused for longer than its heartbeat': async (world, dice) => {
    const worker = await asking(world);
    if (!worker) return;
    world.paused.add(worker.name);
    worker.pause();
    await sleep(dice.between(2500, 4500));
    worker.resume();
  },
  'server: at any moment': async (world, dice) => await world.killServer(dice.between(0, 3000)),
  'server: a model is asked': async (world, dice) => {
    await asking(world);
    await world.killServer(dice.between(0, 3000));
  },
  'server: a model has answered': async (world, dice) => {
    await asking(world);
    await sleep(dice.between(100, 400));
    await world.killServer(dice.between(0, 1000));
  },
  'server and a worker': async (world, dice) => {
    const alive = await world.untilAlive(1);
    await Promise.all([world.killServer(dice.between(0, 1000)), dice.pick(alive).kill()]);
  },
};

/** The worker that asks the model next. */
async function asking(world: World): Promise<WorkerProcess | undefined> {
  try {
    const [name] = (await once(world.model.events, 'asked', { signal: AbortSignal.timeout(reachMs) })) as [string];
    return world.alive.find((worker) => worker.name === name);
  } catch {
    return undefined;
  }
}

/** Whoever comes to such a point first ends itself there; with `sides`, just before it or just after. */
function dies(point: string, { sides = false, provoke }: { sides?: boolean; provoke?: (begin: Begin) => void } = {}): Kill {
  return async (world, dice, begin) => {
    const alive = await world.untilAlive(1);
    await Promise.all(alive.map((worker) => worker.dieAt(sides ? `^${point} .*${dice.pick(['before', 'after'])}$` : `^${point}$`)));
    provoke?.(begin);
    await Promise.race([...alive.map(({ ended }) => ended), sleep(reachMs)]);
    await Promise.all(alive.map((worker) => worker.dieAt('nowhere')));
  };
}
