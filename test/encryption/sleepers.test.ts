/** Runs that sleep under a key: they wake with it, nothing of them is readable meanwhile, and without it they wait. */
import { randomUUID } from 'node:crypto';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newKey } from '../../src/encryption/keys.js';
import { textOf } from '../../src/index.js';
import type { RunHandle } from '../../src/client.js';
import { eventually } from '../support/eventually.js';
import { failedTasksIn, historyOf } from '../support/history.js';
import { devServer } from '../support/servers.js';
import { temporaryDirectory } from '../support/temporary.js';
import { wordsIn } from '../support/words-in.js';
import { openWorld, type ScriptedCall, type World } from '../support/world.js';

const [a, b] = [newKey('a'), newKey('b')];
const words = ['wombatlantern', 'turnipballoon', 'jellyfishsaddle', 'velvetanchovy'];
const [task, reply, answer, instructions] = words as [string, string, string, string];
const clerk = { name: 'clerk', model: 'clerk', instructions };
const script = ({ messages }: ScriptedCall) => `${reply} ${messages.at(-1)?.content}`;

let environment: TestWorkflowEnvironment;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  environment = await devServer();
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await environment?.teardown();
  await directory?.[Symbol.asyncDispose]();
});

const worldWith = async (encryptionKeys: string, taskQueue: string): Promise<World> =>
  await openWorld({ environment, script, config: { dataDir: directory.path, taskQueue, encryptionKeys } });

/** Once it sleeps. */
async function desk({ client }: World): Promise<RunHandle> {
  const run = await client.start('handoff', { agents: [clerk], task, options: { person: true }, sleepAfter: '1 second' });
  await eventually(async () => expect(await run.status()).toMatchObject({ asleep: {}, requests: ['question-1'] }));
  return run;
}

/** All that Temporal has recorded of a run, as far as it can be read. */
async function recordedOf({ id }: RunHandle, firstRunId: string): Promise<string> {
  const { workflow } = environment.client;
  let recorded = '';
  for (let runId: string | undefined = firstRunId; runId;) {
    const history = await workflow.getHandle(id, runId).fetchHistory();
    for (const [, data] of historyToJSON(history).matchAll(/"data": ?"([^"]*)"/g)) recorded += Buffer.from(data!, 'base64').toString();
    runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
  return recorded;
}

test('a run sleeps and wakes under its key, and no word of it is readable', async () => {
  await using world = await worldWith([b, a].join(), `sleepers-${randomUUID()}`);
  const run = await desk(world);
  const { firstRunId } = await run.status();

  await run.respond('question-1', answer);
  await eventually(async () => expect(await run.status()).toMatchObject({ asleep: {}, requests: ['question-2'] }));
  await run.respond('question-2', { end: true });

  expect(await run.result()).toMatchObject({ status: 'completed', output: `${reply} ${answer}`, rounds: 2 });
  expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual([task, `${reply} ${task}`, answer, `${reply} ${answer}`]);
  const recorded = await recordedOf(run, firstRunId);
  expect(words.filter((word) => recorded.includes(word))).toEqual([]);
  expect(await wordsIn(directory.path, words)).toEqual([]);
});

test('a run whose key is missing while it sleeps waits, visibly, and goes on with a worker that has it', async () => {
  const taskQueue = `sleepers-${randomUUID()}`;
  let id: string;
  let firstRunId: string;
  {
    await using world = await worldWith(a, taskQueue);
    const run = await desk(world);
    ({ id } = run);
    ({ firstRunId } = await run.status());
  }
  {
    await using _ = await worldWith(b, taskQueue);
    // Without a key, as from Temporal's own command.
    await environment.client.workflow
      .getHandle(id)
      .signal('respond', { requestId: 'question-1', response: { message: 'green', end: true } });
    await eventually(async () => {
      const failed = failedTasksIn(await historyOf(environment, id, firstRunId));
      expect(failed).toContainEqual(expect.stringContaining('with the key "a", which this worker does not have'));
    });
    expect((await environment.client.workflow.getHandle(id).describe()).status.name).toBe('RUNNING');
  }

  await using world = await worldWith([b, a].join(), taskQueue);
  const run = world.client.attach(id);
  expect(await run.result({ timeout: '4 minutes' })).toMatchObject({ status: 'completed', output: `${reply} ${task}` });
  expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual([task, `${reply} ${task}`, 'green']);
});

test('a session that has closed for its sleep under one key wakes with the next, and not without the first', async () => {
  const taskQueue = `sleepers-${randomUUID()}`;
  const key = randomUUID();
  const sessionIn = ({ client }: World) => client.session(clerk, key, { options: { sleepAfter: '1 second' } });
  {
    await using world = await worldWith(a, taskQueue);
    await sessionIn(world).say(task);
    await eventually(async () => expect((await sessionIn(world).status()).status).toBe('asleep'));
  }
  {
    await using lacking = await worldWith(b, taskQueue);
    await expect(sessionIn(lacking).say(answer, { timeout: '5 seconds' })).rejects.toMatchObject({
      type: expect.stringMatching(/^(Encryption\.KeyMissing|Run\.TimedOut)$/),
    });
  }

  await using world = await worldWith([b, a].join(), taskQueue);
  const session = sessionIn(world);
  expect((await session.say('and now', { timeout: '4 minutes' })).reply).toBe(`${reply} and now`);
  expect((await session.transcript()).slice(0, 2).map(({ message }) => textOf(message))).toEqual([task, `${reply} ${task}`]);
  await session.cancel();
});
