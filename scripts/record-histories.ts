/**
 * Records what a run of every pattern leaves in Temporal's history, on a server of its own, into test/workflows/histories. There,
 * replay.test.ts replays each with the workflow code of the day: a change that would break running workflows turns it red.
 *
 *     npm run histories:record
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { homedir, hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { z } from 'zod';
import { loadConfig } from '../src/config.js';
import { findOrStartServer } from '../src/dev/server.js';
import { defineAgent, defineTool } from '../src/index.js';
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
];
const lookingUp = (...words: string[]) => ({ calls: words.map((word) => ({ name: 'look_up', arguments: { word } })) });
const script = {
  // The second call is tried twice.
  researcher: [lookingUp('tea', 'coffee'), { status: 503 }, lookingUp('cocoa'), 'All three are drinks.'],
  writer: ['Drink tea, coffee or cocoa.'],
  guide: ['Hello.', { status: 400, body: { error: { message: 'no' } } }, 'Hello again.'],
};

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
  await using world = await openWorld({ environment, agents, script, historyEvents: 25, config: { taskQueue: 'histories' } });
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
  const names = [hostname(), homedir(), tmpdir(), process.cwd(), '127.0.0.1', userInfo().username];
  const found = names.filter((name) => new RegExp(`(?<!\\w)${name.replaceAll(/\W/g, '\\$&')}(?!\\w)`).test(words));
  if (found.length > 0) throw new Error(`The history names this machine: ${found.join(', ')}. Leave it out in \`withoutMachine\`.`);
}
