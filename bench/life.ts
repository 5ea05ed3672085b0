/**
 * What a long life costs: how long it takes to wake a session, what a worker weighs with thousands of sessions that sleep, what one takes
 * up in the store, and whether a session's ten thousandth turn is as fast as its tenth.
 *
 *   npm run bench:life                     10,000 sessions and 10,000 turns: about half an hour
 *   npm run bench:life -- --short          a tenth of both
 *   npm run bench:life -- turns            one part of it: waking, sleeping, waiting or turns
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect, type SessionHandle } from '../src/client.js';
import { openBench, words } from './support.js';

const isShort = process.argv.includes('--short');
const [many, most] = isShort ? [100, 1000] : [1000, 10_000];
const wakings = isShort ? 50 : 500;
const atATime = 20;
/** Turns whose median is taken. */
const around = 20;

const bench = await openBench();
const worker = fork(fileURLToPath(new URL('./life-worker.ts', import.meta.url)), [bench.address, bench.config.dataDir], {
  execArgv: ['--import', 'tsx', '--expose-gc'],
});
await Promise.race([once(worker, 'message'), once(worker, 'exit').then(() => Promise.reject(new Error('The worker has ended.')))]);
const client = await connect({ config: bench.config, temporal: bench.client });
try {
  for (const [part, { title, measure }] of chosen()) {
    console.log(`${part}: ${title}`);
    console.table(await measure());
  }
} finally {
  await client.close();
  worker.kill('SIGTERM');
  await once(worker, 'exit');
  await bench.close();
}

function chosen() {
  const parts = {
    waking: { title: 'a message that wakes a session, and one that finds it awake', measure: waking },
    sleeping: { title: 'sessions that have closed', measure: sleeping },
    waiting: { title: 'runs that wait for a person', measure: async () => [await waiting('awake', 'never'), await waiting('asleep', 100)] },
    turns: { title: 'turns of one session, beside those of a new one', measure: turns },
  };
  const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  return Object.entries(parts).filter(([part]) => named.length === 0 || named.includes(part));
}

/** The same session, by turns: a message that wakes it, and one that finds it awake. */
async function waking() {
  const times = { woken: [] as number[], awake: [] as number[], opened: [] as number[] };
  await inParallel(wakings, 2, async (i) => {
    const session = open(`wake-${i}`);
    times.opened.push(await timed(() => session.say('Good morning.')));
    await untilAsleep(session);
    times.woken.push(await timed(() => session.say('Are you there?')));
    times.awake.push(await timed(() => session.say('And now?')));
  });
  const base = percentile(times.awake, 50);
  return Object.entries(times).map(([what, all]) => ({
    what,
    times: all.length,
    'p50, ms': Math.round(percentile(all, 50)),
    'p99, ms': Math.round(percentile(all, 99)),
    'p50 / awake': (percentile(all, 50) / base).toFixed(2),
  }));
}

async function sleeping() {
  const rows = [];
  let made = 0;
  const before = { rss: await memoryOf(worker), store: storeBytes() };
  rows.push({ sessions: 0, 'worker, MB': mb(before.rss), 'store, bytes each': 0 });
  for (const count of [many, most]) {
    await inParallel(count - made, atATime, async (i) => {
      const session = open(`asleep-${count}-${i}`);
      await session.say('Good night.');
      await untilAsleep(session);
    });
    made = count;
    rows.push({
      sessions: count,
      'worker, MB': mb(await memoryOf(worker)),
      'store, bytes each': Math.round((storeBytes() - before.store) / count),
    });
  }
  return rows;
}

/** Open all of them, at the same worker. */
async function waiting(what: string, sleepAfter: number | 'never') {
  const before = await memoryOf(worker);
  await inParallel(many, atATime, async (i) => {
    const run = await client.start(
      'handoff',
      { agents: [{ name: 'clerk', instructions: 'Ask.' }], task: words(4000, i), options: { person: true }, sleepAfter },
      { id: `${what}-${i}` },
    );
    for (;;) {
      const { requests, asleep } = await run.status();
      if (requests.length > 0 && (sleepAfter === 'never' || asleep)) return;
      await sleep(50);
    }
  });
  return { what, runs: many, 'more memory of the worker, MB': mb((await memoryOf(worker)) - before) };
}

/** The last turns before each mark are taken by turns with a session that has just begun: what else the machine does, it does to both. */
async function turns() {
  const long = open('long', 'never');
  const rows = [];
  let turn = 0;
  const speak = async (session: SessionHandle) => await timed(() => session.say(`Message ${turn}.`));
  for (const mark of [around, many, most]) {
    await inParallel(mark - around - turn, 10, async () => void (await speak(long)));
    turn = mark - around;
    const beside = open(`beside-${mark}`, 'never');
    await beside.say('Good morning.');
    const times = { long: [] as number[], beside: [] as number[] };
    for (; turn < mark; turn++) {
      times.long.push(await speak(long));
      times.beside.push(await speak(beside));
    }
    const [ours, theirs] = [percentile(times.long, 50), percentile(times.beside, 50)];
    rows.push({
      'turns up to': mark,
      'median of the last 20, ms': Math.round(ours),
      'of a new session, ms': Math.round(theirs),
      'long / new': (ours / theirs).toFixed(2),
    });
  }
  return rows;
}

function open(key: string, sleepAfter: number | 'never' = 100): SessionHandle {
  return client.session({ name: 'clerk', instructions: 'Answer.' }, key, sleepAfter === 'never' ? {} : { options: { sleepAfter } });
}

/** Temporal tells at once. */
async function untilAsleep(session: SessionHandle): Promise<void> {
  const { stopReason } = await session.result();
  if (stopReason.code !== 'asleep') throw new Error(`The session "${session.id}" has ended: ${stopReason.message}`);
}

async function memoryOf(process: ChildProcess): Promise<number> {
  process.send('rss');
  const [bytes] = (await once(process, 'message')) as [number];
  return bytes;
}

function storeBytes(): number {
  const path = join(bench.config.dataDir, 'store.db');
  return [path, `${path}-wal`].reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}

async function inParallel(count: number, workers: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: workers }, one));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function percentile(numbers: number[], percent: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] as number;
}

function mb(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
