/**
 * Kills workers and the Temporal server, again and again, while runs and conversations go on, and then checks that nothing was lost or
 * done twice. Everything is real: processes, `kill -9`, HTTP to the model, the store on the disk.
 *
 *   npm run test:chaos                       eight rounds
 *   npm run test:chaos -- --seed 7           other plans, in another order
 *   npm run test:chaos -- --rounds 2
 *   npm run test:chaos -- --break keys       tools ignore their idempotency keys: the checks must notice
 *   npm run test:chaos -- --break calls      workers ask the model again after it has answered: the checks must notice
 *   npm run test:chaos -- --break ids        senders use a new id when they try again: the checks must notice
 *   npm run test:chaos -- --write            writes docs/chaos.md
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { effectCounts, toolCalls } from '../test/support/workers.js';
import { checkRun, noCounts, type Seen } from './chaos/check.js';
import { Dice } from './chaos/dice.js';
import { kills } from './chaos/kills.js';
import { summaryOf, writeSummary, type Summary } from './chaos/summary.js';
import { Work, type Job } from './chaos/work.js';
import { World } from './chaos/world.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '8' },
    break: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
  },
});
const [seed, rounds] = [Number(values.seed), Number(values.rounds)];
const killsPerRound = 9;

const began = Date.now();
const dice = new Dice(seed);
const world = await World.open(dice, values.break === 'keys' || values.break === 'calls' ? values.break : undefined);
process.once('exit', () => world.end());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const summary = await chaos();
console.log(summaryOf(summary));
for (const problem of summary.problems) console.error(`VIOLATION ${problem}`);
if (values.write) await writeSummary(summary);
process.exit(summary.problems.length > 0 ? 1 : 0);

async function chaos(): Promise<Summary> {
  const work = new Work(world, dice, { forgetsIds: values.break === 'ids' });
  const jobs: Job[] = [];
  const losses: Summary['losses'] = new Map(Object.keys(kills).map((kind) => [kind, { tried: 0, workers: 0, servers: 0 }]));
  const problems: string[] = [];
  const bounded = async (what: Promise<unknown>): Promise<void> => {
    await what.catch((error: unknown) => problems.push(`did not come to its end: ${String(error)}`));
  };

  // One conversation goes on through all rounds.
  const long = work.openSession(`${seed}-long`);
  jobs.push(long);
  let deck: string[] = [];
  for (let round = 1; round <= rounds; round++) {
    const sessions = [1, 2, 3].map((n) => work.openSession(`${seed}-${round}-${n}`));
    jobs.push(...sessions);
    const going = [
      bounded(work.talk(long, [`anna-${round}`, `ben-${round}`], 3)),
      ...sessions.map((session) => bounded(work.talk(session, ['cleo', 'dora'], 3).then(() => work.end(session)))),
      ...[1, 2, 3, 4].map(async (n) => {
        await sleep(dice.between(0, 20_000));
        await bounded(work.runSequential(`run-${seed}-${round}-${n}`).then((job) => jobs.push(job)));
      }),
    ];
    const isWorking = { now: true };
    const done = Promise.all(going).then(() => (isWorking.now = false));
    for (let n = 0; n < killsPerRound && isWorking.now; n++) {
      await sleep(dice.between(200, 1500));
      if (deck.length === 0) deck = dice.shuffled(Object.keys(kills));
      const kind = deck.pop()!;
      const before = { ...world.lost };
      await kills[kind]!(world, dice);
      const tally = losses.get(kind)!;
      tally.tried += 1;
      tally.workers += world.lost.workers - before.workers;
      tally.servers += world.lost.servers - before.servers;
      console.error(`round ${round}: ${kind}`);
    }
    await done;
    console.error(`round ${round} of ${rounds}: done after ${Math.round((Date.now() - began) / 1000)} s`);
  }
  await bounded(work.end(long));

  const seen: Seen = {
    asked: world.model.asked,
    toolCalls: toolCalls(world.effects),
    effects: effectCounts(world.effects),
    paused: world.paused,
  };
  const counts = { ...noCounts };
  for (const job of jobs) {
    const checked = await checkRun(world, job, seen);
    problems.push(...checked.problems);
    for (const key of Object.keys(counts) as (keyof typeof counts)[]) counts[key] += checked.counts[key];
  }
  for (const line of world.complaints.split('\n')) if (/nondeterminism|TMPRL1100|ended by itself/i.test(line)) problems.push(line);
  return {
    ...{ seed, rounds, losses, counts, problems },
    seconds: Math.round((Date.now() - began) / 1000),
    runs: jobs.length,
    asked: world.model.asked.length,
    retries: work.retries,
  };
}
