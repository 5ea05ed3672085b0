/**
 * What comes at the same instant, a thousand times: whoever wakes a session against another who wakes it, and an answer against another
 * answer and the expiry of its request. Each has exactly one winner, and whoever lost was told. Everything is real: server, worker, store.
 *
 *   npm run test:races                       a thousand of each
 *   npm run test:races -- --times 100
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { NativeConnection } from '@temporalio/worker';
import { instantModel, openBench } from '../bench/support.js';
import { connect, type SessionHandle } from '../src/client.js';
import { failureOf } from '../src/contract/failure.js';
import { textOf } from '../src/contract/message.js';
import { startWorker } from '../src/worker.js';

const { values } = parseArgs({ options: { times: { type: 'string', default: '1000' } } });
const times = Number(values.times);
const problems: string[] = [];

const bench = await openBench();
const connection = await NativeConnection.connect({ address: bench.address });
const worker = await startWorker({
  config: bench.config,
  connection,
  providers: {
    default: instantModel(() => ({ role: 'assistant', contents: [{ $type: 'text', text: 'Yes?' }] })),
    defaultModel: 'instant',
  },
});
// Two clients, as two processes would have.
const clients = [
  await connect({ config: bench.config, temporal: bench.client }),
  await connect({ config: bench.config, temporal: bench.client }),
] as const;
try {
  console.table([await wakeAgainstWake(), await answerAgainstExpiry()]);
} finally {
  for (const client of clients) await client.close();
  await worker.stop();
  await connection.close();
  await bench.close();
}
for (const problem of problems) console.error(`VIOLATION ${problem}`);
process.exit(problems.length > 0 ? 1 : 0);

/** One wakes it by update-with-start, the other by a plain signal-with-start or as the first, by turns. Both are answered, once, by one session. */
async function wakeAgainstWake() {
  const sessions = 20;
  let races = 0;
  await Promise.all(
    Array.from({ length: sessions }, async (_, n) => {
      const key = `wake-${n}`;
      const [one, other] = clients.map((client) => openSession(client, key)) as [SessionHandle, SessionHandle];
      await one.say('first');
      const said = ['first'];
      for (let round = 0; round < times / sessions; round++) {
        await untilAsleep(one);
        const [a, b] = [`${round} one`, `${round} other`];
        await Promise.all([one.send(a, a), round % 2 === 0 ? other.send(b, b) : signalWithStart(one.id, b)]);
        await Promise.all([answered(one, a), answered(one, b)]);
        said.push(a, b);
        races += 1;
      }
      const heard = (await one.transcript()).filter(({ message }) => message.role === 'user').map(({ message }) => textOf(message));
      if (JSON.stringify([...heard].sort()) !== JSON.stringify([...said].sort()))
        problems.push(`${one.id} heard ${heard.length} messages of ${said.length}`);
      const replies = (await one.status()).rounds;
      if (replies !== said.length) problems.push(`${one.id} replied ${replies} times to ${said.length} messages`);
    }),
  );
  return { race: 'wake against wake', races, violations: problems.length };
}

/** Two answers that differ, within some milliseconds of the expiry. */
async function answerAgainstExpiry() {
  const before = problems.length;
  const won = { answer: 0, expiry: 0 };
  const expiresAfter = 1500;
  let next = 0;
  const one = async (): Promise<void> => {
    for (let n = next++; n < times; n = next++) {
      const run = await clients[0].start('handoff', {
        agents: [{ name: 'clerk', instructions: 'Ask.' }],
        task: 'Buy tea',
        options: { person: { timeout: expiresAfter, onTimeout: 'fail' } },
      });
      let [request] = await run.requests();
      for (; !request; [request] = await run.requests()) await sleep(20);
      // Around the deadline, now this side and now that.
      await sleep(Date.parse(request.expiresAt!) - Date.now() - 10 + (n % 80));
      const outcomes = await Promise.allSettled(
        clients.map((client, i) => client.attach(run.id).respond('question-1', { end: true, message: `answer ${i}` })),
      );
      const accepted = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [`answer ${i}`] : []));
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [failureOf(outcome.reason).type] : []));
      const end = await run.result().then(
        ({ status }) => status as string,
        (error: unknown) => failureOf(error).type,
      );
      const heard = (await run.transcript()).map(({ message }) => textOf(message)).filter((text) => text.startsWith('answer'));
      const kinds: string[] = [];
      for await (const { type } of run.watch()) if (type === 'request.answered' || type === 'request.expired') kinds.push(type);
      const isAnswered = kinds[0] === 'request.answered';
      won[isAnswered ? 'answer' : 'expiry'] += 1;
      const isRight =
        kinds.length === 1 &&
        JSON.stringify(heard) === JSON.stringify(accepted) &&
        accepted.length === (isAnswered ? 1 : 0) &&
        end === (isAnswered ? 'completed' : 'Request.Expired') &&
        // Whoever comes after a run has failed is told that it has ended.
        refused.every((type) => type === 'Request.NotPending' || type === 'Run.Closed');
      if (!isRight) problems.push(`${run.id}: ${JSON.stringify({ kinds, heard, accepted, refused, end })}`);
    }
  };
  await Promise.all(Array.from({ length: 25 }, one));
  return { race: 'answer against answer and expiry', races: won.answer + won.expiry, ...won, violations: problems.length - before };
}

function openSession(client: (typeof clients)[number], key: string): SessionHandle {
  return client.session({ name: 'clerk', instructions: 'Answer.' }, key, { options: { sleepAfter: 50 } });
}

async function untilAsleep(session: SessionHandle): Promise<void> {
  const { stopReason } = await session.result();
  if (stopReason.code !== 'asleep') throw new Error(`The session "${session.id}" has ended: ${stopReason.message}`);
}

async function signalWithStart(workflowId: string, id: string): Promise<void> {
  await bench.client.workflow.signalWithStart('session', {
    workflowId,
    taskQueue: bench.config.taskQueue,
    args: [{}],
    signal: 'say',
    signalArgs: [{ message: id, id }],
  });
}

async function answered(session: SessionHandle, id: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++, await sleep(50)) {
    const status = await session.turn(id).then(
      (turn) => turn.status,
      () => undefined,
    );
    if (status === 'completed') return;
  }
  problems.push(`${session.id}: "${id}" was not answered`);
}
