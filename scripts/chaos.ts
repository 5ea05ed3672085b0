/**
 * Kills workers and the Temporal server, again and again, while runs and conversations go on, and then checks that nothing was lost or
 * done twice. Everything is real: processes, `kill -9`, HTTP to the model, the store on the disk.
 *
 *   npm run test:chaos                       eight rounds
 *   npm run test:chaos -- --seed 7           other plans, in another order
 *   npm run test:chaos -- --rounds 2
 *   npm run test:chaos -- --break keys       tools ignore their idempotency keys: the checks must notice
 *   npm run test:chaos -- --break calls      workers ask the model again after it has answered: the checks must notice
 *   npm run test:chaos -- --break ids        senders use a new id when they send again: the checks must notice
 *   npm run test:chaos -- --write            writes docs/chaos.md
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { effectCounts, toolCalls } from '../test/support/workers.js';
import { checkRun, noCounts, type Seen } from './chaos/check.js';
import { Dice } from './chaos/dice.js';
import { kills, type Begin } from './chaos/kills.js';
import { StateRuns } from './chaos/state-runs.js';
import { summaryOf, writeSummary, type Summary } from './chaos/summary.js';
import { TeamRuns } from './chaos/team-runs.js';
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
const lossesPerRound = 10;

const began = Date.now();
const dice = new Dice(seed);
const world = await World.open(dice, values.break === 'keys' || values.break === 'calls' ? values.break : undefined);
process.once('exit', () => world.end());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const work = new Work(world, dice, { forgetsIds: values.break === 'ids' });
const teamRuns = new TeamRuns(world, work);
await teamRuns.inPeace();
const stateRuns = new StateRuns(world, work, seed);
const jobs: Job[] = [];
const problems: string[] = [];
const losses: Summary['losses'] = new Map(Object.keys(kills).map((kind) => [kind, { times: 0, workers: 0, servers: 0 }]));
/** Kinds of losses in an order of chance: each comes up as often as any other. */
let deck: string[] = [];
/** What the end of a round waits for. */
const going: Promise<void>[] = [];

// One conversation goes on through all rounds.
const long = openSession('long');
for (let round = 1; round <= rounds; round++) {
  go(work.talk(long, [`anna-${round}`, `ben-${round}`], 3));
  for (const n of [1, 2]) go(sleep(dice.between(0, 5000)).then(() => stateRuns.begin(`${seed}-${round}-${n}`)));
  for (const n of [1, 2, 3]) {
    const session = openSession(`${round}-${n}`);
    go(work.talk(session, ['cleo', 'dora'], 3).then(() => work.end(session)));
    go(sleep(dice.between(0, 15_000)).then(() => begin()));
    for (const part of ['a', 'b']) go(sleep(dice.between(0, 15_000)).then(() => teamRuns.begin(`team-${seed}-${round}-${n}${part}`)));
  }
  for (let n = 0; n < lossesPerRound; n++) await loseSomething(round);
  await untilDone();
  console.error(`round ${round} of ${rounds}: done after ${secondsSoFar()} s`);
}
go(work.end(long));
await untilDone();

const summary = await check();
console.log(summaryOf(summary));
for (const problem of summary.problems) console.error(`VIOLATION ${problem}`);
if (values.write) await writeSummary(summary);
process.exit(summary.problems.length > 0 ? 1 : 0);

function openSession(key: string): Job {
  const session = work.openSession(`${seed}-${key}`);
  jobs.push(session);
  return session;
}

function begin({ state, ...options }: Parameters<Begin>[0] = {}): void {
  if (state) return go(stateRuns.begin(`${seed}-more`, { brief: true }));
  go(work.runSequential(`run-${seed}-${jobs.length}-${dice.between(1000, 9999)}`, options).then((job) => void jobs.push(job)));
}

function go(what: Promise<void>): void {
  going.push(what.catch((error: unknown) => void problems.push(`something did not come to its end: ${String(error)}`)));
}

/** What goes on may begin more. */
async function untilDone(): Promise<void> {
  for (let next = going.shift(); next; next = going.shift()) await next;
}

async function loseSomething(round: number): Promise<void> {
  await sleep(dice.between(200, 1500));
  if (deck.length === 0) deck = dice.shuffled(Object.keys(kills));
  const kind = deck.pop() as keyof typeof kills;
  const before = { ...world.lost };
  await kills[kind]!(world, dice, begin);
  const tally = losses.get(String(kind))!;
  tally.times += 1;
  tally.workers += world.lost.workers - before.workers;
  tally.servers += world.lost.servers - before.servers;
  console.error(`round ${round}: ${kind}`);
}

async function check(): Promise<Summary> {
  const { asked } = world.model;
  const seen: Seen = { asked, toolCalls: toolCalls(world.effects), effects: effectCounts(world.effects), paused: world.paused };
  const counts = { ...noCounts };
  for (const job of jobs) {
    const checked = await checkRun(world, job, seen);
    problems.push(...checked.problems);
    for (const key of Object.keys(counts) as (keyof typeof counts)[]) counts[key] += checked.counts[key];
  }
  const ofTeams = await teamRuns.check();
  problems.push(...ofTeams.problems);
  const ofStates = await stateRuns.check();
  problems.push(...ofStates.problems);
  for (const line of world.complaints.split('\n')) if (/nondeterminism|TMPRL1100|ended by itself/i.test(line)) problems.push(line);
  const { sent } = work;
  return {
    seed,
    rounds,
    seconds: secondsSoFar(),
    losses,
    runs: jobs.length,
    teamRuns: teamRuns.count,
    teamCalls: ofTeams.finished,
    branches: stateRuns.count,
    snapshots: ofStates.snapshots,
    sent,
    asked: asked.length,
    counts,
    problems,
  };
}

function secondsSoFar(): number {
  return Math.round((Date.now() - began) / 1000);
}
