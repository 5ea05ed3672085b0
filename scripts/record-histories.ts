/**
 * Records what a run of every pattern leaves in Temporal's history, on a server of its own, into test/workflows/histories. There,
 * replay.test.ts replays each with the workflow code of the day: a change that would break running workflows turns it red.
 *
 *     npm run histories:record
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { homedir, hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { z } from 'zod';
import { loadConfig } from '../src/config.js';
import { findOrStartServer } from '../src/dev/server.js';
import type { RunHandle } from '../src/client.js';
import { defineAgent, defineFunction, defineTool, type Json } from '../src/index.js';
import { openWorld, type World } from '../src/testing/index.js';

const folder = fileURLToPath(new URL('../test/workflows/histories/', import.meta.url));

const lookUp = defineTool({
  name: 'look_up',
  description: 'Looks a word up.',
  input: z.object({ word: z.string() }),
  run: ({ word }) => `${word}: a drink`,
});
const agents = [
  defineAgent({ name: 'researcher', instructions: 'Find the facts.', model: 'researcher', tools: [lookUp] }),
  defineAgent({ name: 'writer', instructions: 'Write.', model: 'writer' }),
  defineAgent({ name: 'guide', instructions: 'Help.', model: 'guide' }),
  ...['optimist', 'pessimist', 'chair', 'desk', 'clerk'].map((name) => defineAgent({ name, instructions: `Be a ${name}.`, model: name })),
];
const lookingUp = (...words: string[]) => ({ calls: words.map((word) => ({ name: 'look_up', arguments: { word } })) });
const script = {
  // The second call is tried twice.
  researcher: [lookingUp('tea', 'coffee'), { status: 503 }, lookingUp('cocoa'), 'All three are drinks.'],
  writer: ['Drink tea, coffee or cocoa.'],
  guide: ['Hello.', { status: 400, body: { error: { message: 'no' } } }, 'Hello again.'],
  optimist: ['Yes.', 'Yes, and soon.', 'Done what I can.'],
  pessimist: ['No.', 'Not in that way.', 'Done, too.'],
  // As a classifier, a chair and a manager.
  chair: [
    '{"label": "doubt"}',
    'no JSON at all',
    '{"done": false, "speaker": "optimist"}',
    '{"done": true}',
    '{"text": "What is known."}',
    '{"text": "A plan."}',
    '{"text": "Another plan."}',
    judgement(false, 'optimist'),
    judgement(false, 'pessimist'),
    judgement(true, 'optimist'),
    'That is the answer.',
  ],
  desk: [{ text: 'Which one?' }, { calls: [{ name: 'transfer_to_clerk', arguments: { reason: 'orders' } }] }],
  clerk: ['It may or may not.', 'It is on its way.'],
};

function judgement(done: boolean, next: string): string {
  const entry = (answer: string | boolean) => ({ reason: 'so it is', answer });
  return JSON.stringify({
    is_request_satisfied: entry(done),
    is_in_loop: entry(false),
    is_progress_being_made: entry(true),
    next_speaker: entry(next),
    instruction_or_question: entry('Go on.'),
  });
}

const loud = defineFunction<string>({ name: 'loud', run: (text) => text.toUpperCase() });

/** Waits until a person is asked, and answers. */
async function answer(run: RunHandle, response: Json): Promise<void> {
  for (;;) {
    const waiting = (await run.requests()).find(({ status }) => status === 'pending');
    if (waiting) return void (await run.respond(waiting.requestId, response, { by: 'anna' }));
    await sleep(50);
  }
}

/** By name: what happens. Returns the workflow's id. */
const scenes: { [name: string]: (world: World, environment: TestWorkflowEnvironment) => Promise<string> } = {
  async sequential({ client }) {
    const run = await client.start(
      'sequential',
      { agents: ['researcher', 'writer'], task: 'What do people drink?' },
      { id: 'sequential/drinks' },
    );
    await run.result();
    return run.id;
  },

  async concurrent({ client }) {
    const agents = ['optimist', 'pessimist'];
    const run = await client.start(
      'concurrent',
      { agents, task: 'Will it work?', options: { aggregator: { agent: 'clerk' } } },
      { id: 'concurrent/1' },
    );
    await run.result();
    return run.id;
  },

  async routing({ client }) {
    const options = { classifier: { agent: 'chair' }, routes: { hope: 'optimist', doubt: 'pessimist' } };
    const run = await client.start(
      'routing',
      { agents: ['optimist', 'pessimist'], task: 'I am not sure.', options, output: { transform: 'loud' } },
      { id: 'routing/1' },
    );
    await run.result();
    return run.id;
  },

  async groupChat({ client }) {
    const options = { manager: { agent: 'chair' } };
    const run = await client.start('groupChat', { agents: ['optimist', 'pessimist'], task: 'Talk.', options }, { id: 'groupChat/1' });
    await run.result();
    return run.id;
  },

  async magentic({ client }) {
    const options = { manager: { agent: 'chair' }, planReview: true };
    const run = await client.start('magentic', { agents: ['optimist', 'pessimist'], task: 'Find out.', options }, { id: 'magentic/1' });
    await answer(run, { decision: 'revise', feedback: 'Shorter.' });
    await answer(run, 'approve');
    await run.result();
    return run.id;
  },

  /** Inside of a sequence, so that a nested run and what it asks are recorded too. */
  async handoff({ client }) {
    const help = { name: 'help', pattern: 'handoff' as const, agents: ['desk', 'clerk'], options: { person: true } };
    const run = await client.start('sequential', { agents: [help], task: 'Where is it?' }, { id: 'nested/1' });
    await answer(run, 'The red one.');
    await answer(run, { end: true });
    await run.result();
    const [nested] = (await client.list()).filter(({ pattern }) => pattern === 'handoff');
    return nested!.id;
  },

  async session({ client }, environment) {
    const session = client.session('guide', 'anna');
    await session.say('By update.', { id: 'one' });
    const handle = environment.client.workflow.getHandle(session.id);
    await handle.signal('say', { nothing: 'to say' });
    await handle.signal('say', { message: 'By signal, and it fails.', id: 'two' });
    await session.say('By update again.', { id: 'three' });
    await session.cancel({ reason: 'That is all.' });
    await session.result();
    return session.id;
  },
};

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
const directory = await mkdtemp(join(tmpdir(), 'ostinato-histories-'));
const { TEMPORAL_ADDRESS: _, TEMPORAL_PROFILE: __, ...env } = process.env;
const server = await findOrStartServer({
  config: loadConfig({ dataDir: directory }, env),
  ports: { server: 0, ui: 0 },
  onProgress: (text) => console.error(text),
});
const environment = await TestWorkflowEnvironment.createFromExistingServer({ ...server, client: { identity: 'recorder' } });
try {
  await mkdir(folder, { recursive: true });
  for (const file of await readdir(folder)) await rm(join(folder, file));
  await using world = await openWorld({
    environment,
    agents,
    functions: [loud],
    script,
    historyEvents: 12,
    config: { taskQueue: 'histories' },
  });
  for (const [name, play] of Object.entries(scenes)) await record(name, await play(world, environment));
  world.model.assertComplete();
} finally {
  await environment.teardown();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}

/** One file for each execution of the chain that continue-as-new made. */
async function record(name: string, workflowId: string): Promise<void> {
  let { runId } = await firstExecution(workflowId);
  for (let number = 1; runId !== undefined; number++) {
    const history = await environment.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const text = `${JSON.stringify(JSON.parse(historyToJSON(history)), withoutMachine, 2)}\n`;
    assertGeneric(text);
    await writeFile(join(folder, `${name}.${number}.json`), text);
    console.log(`${name}.${number}.json: ${history.events?.length} events, ${text.length} bytes`);
    runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
}

async function firstExecution(workflowId: string): Promise<{ runId?: string }> {
  const { raw } = await environment.client.workflow.getHandle(workflowId).describe();
  return { runId: raw.workflowExecutionInfo?.firstRunId ?? undefined };
}

/** Who recorded it, and where, is nobody's business. */
function withoutMachine(key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (key === 'identity') return 'recorder';
  if (key === 'stackTrace') return '';
  return key === 'name' && value.includes(hostname()) ? 'sticky' : value;
}

function assertGeneric(text: string): void {
  const payload = /"data": "([^"]+)"/g;
  const words = text.replace(payload, (_match, data: string) => Buffer.from(data, 'base64').toString());
  const user = userInfo().username;
  // Everybody's name where nobody has one, and a word besides.
  const names = [hostname(), homedir(), tmpdir(), process.cwd(), '127.0.0.1', ...(user === 'root' ? [] : [user])];
  const found = names.filter((name) => new RegExp(`(?<!\\w)${name.replaceAll(/\W/g, '\\$&')}(?!\\w)`).test(words));
  if (found.length > 0) throw new Error(`The history names this machine: ${found.join(', ')}. Leave it out in \`withoutMachine\`.`);
}
