/** The composition for real use does what it is for: its parts as they stand in docker-compose.yml, see stack.ts. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, loadConfig, type OstinatoClient, type RunHandle } from '../../src/client.js';
import { searchAttributeTypes } from '../../src/contract/names.js';
import { scriptedModel, type ScriptedCall, type ScriptedModel, type ScriptedReply } from '../../src/testing/index.js';
import { ostinatoProcess, startOstinato } from '../cli/support.js';
import { exampleVariables, root } from '../support/compose.js';
import { Stack, type StackWorker } from './stack.js';

const say = (words: string): void => void process.stderr.write(`${words}\n`);
const agents = ['poet', 'critic'].map((name) => ({ name, instructions: `You are a ${name}.`, model: name }));
let stack: Stack;
let model: ScriptedModel;
let client: OstinatoClient;
let workers: StackWorker[] = [];
let answer: (call: ScriptedCall) => ScriptedReply | Promise<ScriptedReply>;

beforeAll(async () => {
  stack = await Stack.start(say);
  model = await scriptedModel((call) => answer(call));
  const settings = { OPENAI_BASE_URL: model.baseURL, OPENAI_API_KEY: 'scripted' };
  workers = [await stack.startWorker(settings), await stack.startWorker(settings)];
  client = await connect({ config: loadConfig({}, stack.outside) });
});

afterAll(async () => {
  await client?.close();
  await model?.close();
  await stack?.[Symbol.asyncDispose]();
});

test('docker compose takes the file, where it is installed', async () => {
  const docker = (env: object, ...args: string[]) =>
    promisify(execFile)('docker', ['compose', ...args], { cwd: root, env: { ...process.env, ...env } });
  const isThere = await docker({}, 'version').then(
    () => true,
    () => false,
  );
  if (!isThere) return say('There is no docker compose here: the file was read by ourselves alone.');

  const { TEMPORAL_VERSION } = exampleVariables();
  await docker({ TEMPORAL_VERSION, POSTGRES_PASSWORD: 'first', STORE_PASSWORD: 'second' }, '--env-file', '/dev/null', 'config', '--quiet');
  await expect(docker({ TEMPORAL_VERSION }, '--env-file', '/dev/null', 'config')).rejects.toThrow('POSTGRES_PASSWORD');
});

test('the server knows every key of its dynamic config', async () => {
  const said = await stack.program('temporal-server', 'validate-dynamic-config', `${root}/deploy/temporal/dynamicconfig.yaml`);

  expect(said).not.toMatch(/error|warning/);
});

test('what is done once may be done again', async () => {
  await stack.runOnce('schema');
  await stack.runOnce('namespace');
});

test('the namespace keeps what has ended for 30 days, and has the search attributes that runs set', async () => {
  const namespace = await stack.program('temporal', 'operator', 'namespace', 'describe', '--namespace', 'default');
  const attributes = await stack.program('temporal', 'operator', 'search-attribute', 'list', '--namespace', 'default');

  expect(namespace).toMatch(/Retention\S*\s+720h/);
  for (const [name, type] of Object.entries(searchAttributeTypes)) expect(attributes).toMatch(new RegExp(`${name}\\s+${type}`));
});

test('two workers share the work, a watcher outside sees every run, and the server knows what they are', async () => {
  answer = async ({ model }) => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return `The ${model} has spoken.`;
  };
  const ids = Array.from({ length: 8 }, (_, index) => `shared/${index}`);
  const runs = await Promise.all(ids.map((id) => client.start('sequential', { agents, task: 'Tea.' }, { id })));
  await using watching = startOstinato(['watch', ids[0]!], outside());

  for (const run of runs) expect(await run.result()).toMatchObject({ status: 'completed', output: 'The critic has spoken.' });
  const watched = await Promise.all(ids.slice(1).map((id) => ostinatoProcess(['watch', id, '--json'], outside())));
  const identities = new Set((await Promise.all(runs.map(({ id }) => workersOf(id)))).flat());
  const found = await stack.program(
    'temporal',
    'workflow',
    'list',
    '--query',
    `OstinatoStatus = 'completed' AND OstinatoAgents = 'poet' AND OstinatoWaitingFor = 'nobody'`,
  );

  expect(await watching.ended).toMatchObject({ code: 0, out: expect.stringContaining('The poet has spoken.') });
  for (const { code, out } of watched) {
    expect(code).toBe(0);
    expect(out).toContain('"run.started"');
    expect(out).toContain('The critic has spoken.');
  }
  expect([...identities].map(pidOf).sort()).toEqual(workers.map(({ pid }) => pid).sort());
  for (const id of ids) expect(found).toContain(id);
});

test('a session is spoken to from outside, and outlives the server', async () => {
  answer = ({ messages }) => `Heard ${messages.filter(({ role }) => role === 'user').length}.`;
  const before = await ostinatoProcess(['say', 'host', '--session', 'anna', 'One.'], outside());

  await stack.stopTemporal();
  await stack.startTemporal();
  const after = await ostinatoProcess(['say', 'session/host/anna', 'Two.'], outside());

  expect(before).toMatchObject({ code: 0, out: 'Heard 1.\n' });
  expect(after).toMatchObject({ code: 0, out: 'Heard 2.\n' });
});

describe('a worker', () => {
  test('that is killed in the middle of a model call loses nothing: the other one finishes', async () => {
    let calls = 0;
    answer = () => ((calls += 1) === 1 ? { hang: true } : 'Finished.');
    const run = await client.start('sequential', { agents: agents.slice(0, 1), task: 'Take your time.' }, { id: 'killed' });
    await expect.poll(() => calls, { timeout: 20_000 }).toBe(1);
    const lost = await workerInCall(run);

    await lost.end('SIGKILL');
    const result = await run.result();

    expect(result).toMatchObject({ status: 'completed', output: 'Finished.' });
    expect(pidOf((await workersOf(run.id)).at(-1)!)).toBe(workers.find((worker) => worker !== lost)!.pid);
    workers = workers.filter((worker) => worker !== lost);
  });

  test('is healthy while it works, and no longer when it has been asked to stop', async () => {
    const [worker] = workers;

    expect(await worker!.isHealthy()).toBe(true);
    await worker!.end('SIGTERM');
    expect(await worker!.isHealthy()).toBe(false);
  });
});

/** A process that knows the addresses and nothing else. */
function outside(): { cwd: string; env: Record<string, string> } {
  return { cwd: '/', env: stack.outside };
}

interface Event {
  [attributes: string]: { identity?: string } | undefined;
}

/** Who took up the steps of a run, and carried them to their end: `pid@host`. */
async function workersOf(id: string): Promise<string[]> {
  const { events } = JSON.parse(await stack.program('temporal', 'workflow', 'show', '--workflow-id', id, '--output', 'json')) as {
    events: Event[];
  };
  return events.flatMap(({ activityTaskStartedEventAttributes: started }) => started?.identity ?? []);
}

async function workerInCall(run: RunHandle): Promise<StackWorker> {
  const described = await stack.program('temporal', 'workflow', 'describe', '--workflow-id', run.id, '--output', 'json');
  const { pendingActivities } = JSON.parse(described) as { pendingActivities: { lastWorkerIdentity: string }[] };
  const pid = pidOf(pendingActivities[0]!.lastWorkerIdentity);
  return workers.find((worker) => worker.pid === pid)!;
}

function pidOf(identity: string): number {
  return Number(identity.split('@')[0]);
}
