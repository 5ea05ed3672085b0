import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { temporalForTests } from '../support/servers.js';
import { ostinato, ostinatoProcess, startOstinato, type Ended, type Running } from './support.js';

const taskQueue = `cli-${randomUUID()}`;
let cwd: string;
let env: Record<string, string>;
let worker: Running;

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'ostinato-cli-'));
  const { address, namespace } = temporalForTests();
  env = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    OSTINATO_TASK_QUEUE: taskQueue,
    OSTINATO_DATA_DIR: join(cwd, 'data'),
    // A run whose worker has gone is soon taken up by another one.
    OSTINATO_STICKY_TIMEOUT: '1 second',
  };
  await writeFile(join(cwd, 'tea.md'), tea);
  worker = startOstinato(['worker'], { cwd, env });
  await worker.says('Working on task queue');
});

afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await rm(cwd, { recursive: true, force: true });
});

const tea = `# Tea in Assam

Tea from Assam is grown near the Brahmaputra, at about 50 metres above the sea. In 1823 Robert Bruce found wild tea plants there.
The first 12 chests reached London in 1838, and they were sold by auction in January 1839. Assam now grows about half of India's tea.
Robert Bruce died in 1824, and it was his brother Charles who sent the first samples to Calcutta, where botanists took ten years to
believe that they were tea. Its taste is strong and malty, because it rains up to 300 millimetres a day in the monsoon, when it is 36 degrees warm.
`;

/** An agent whose tool takes a minute. */
const sleepy = `
import { defineAgent, defineTool } from ${JSON.stringify(import.meta.resolve('../../src/index.ts'))};
import { z } from ${JSON.stringify(import.meta.resolve('zod'))};
const nap = defineTool({
  name: 'nap',
  description: 'Sleeps.',
  input: z.object({}),
  run: () => new Promise((resolve) => setTimeout(resolve, 60_000)),
});
export default { agents: [defineAgent({ name: 'cat', instructions: 'You are a cat.', tools: [nap] })] };
`;

const say = (...args: string[]) => ostinato(['say', ...args], { cwd, env });
const ask = (...args: string[]) => ostinato(args, { cwd, env });
const uniqueId = (name: string) => `${name}/${randomUUID().slice(0, 8)}`;

function expectOneMessage({ out, err }: Ended, message: RegExp): void {
  expect(err).toMatch(message);
  expect(err.match(/✗/g)).toHaveLength(1);
  expect(`${out}${err}`).not.toMatch(/^\s+at /m);
}

describe('run', () => {
  test("prints each agent's words under its name, what it cost, and ends with 0", async () => {
    const { code, out, err } = await ostinatoProcess(['run', 'article', '--file', 'tea.md'], { cwd, env });

    expect(out).toMatch(/^article: analyst, writer, editor\n\nanalyst\n[^]*1838[^]*\n\nwriter\n# Tea in Assam\n[^]*\n\neditor\n[^]+\n$/);
    expect(err).toMatch(/^run sequential\/\w+\n✓ completed · 3 turns · [\d,]+ tokens \([\d,]+ in, [\d,]+ out\) · \d/);
    expect(code).toBe(0);
  });

  test('with --json prints one event on a line, and the result on the last', async () => {
    const { code, out } = await ostinatoProcess(['run', 'sequential', '--agents', 'writer', '--file', 'tea.md', '--json'], { cwd, env });

    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type?: string; seq?: number; status?: string; text?: string; output?: string });
    const events = lines.slice(0, -1);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['run.started', 'turn.started', 'delta', 'message.completed', 'turn.completed', 'run.finished']),
    );
    expect(events.flatMap(({ type, text }) => (type === 'delta' ? [text] : [])).join('')).toBe(lines.at(-1)?.output);
    expect(lines.at(-1)).toMatchObject({ status: 'completed', output: expect.stringContaining('# Tea in Assam'), rounds: 1 });
    expect(code).toBe(0);
  });

  test('that a limit has stopped ends with 6', async () => {
    const ended = await ask('run', 'article', '--file', 'tea.md', '--limit-turns', '1');

    expect(ended.err).toMatch(/■ stopped: The limit of .* was reached\. · 1 turn ·/);
    expect(ended.code).toBe(6);
  });

  test('with an agent that nobody knows fails with one message and 2', async () => {
    const human = await ask('run', 'sequential', '--agents', 'nobody', '--task', 'x');
    const json = await ask('run', 'sequential', '--agents', 'nobody', '--task', 'x', '--json');

    expectOneMessage(
      human,
      /✗ The run input has one problem:\n- agents\[0\]: no agent is called "nobody" here; known: analyst, writer, editor, article\n$/,
    );
    expect(human.code).toBe(2);
    expect(JSON.parse(json.out.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ error: { type: 'Input.UnknownAgent' } });
    expect(json.code).toBe(2);
    // Nor does the worker make more of it than a line.
    await worker.says('no agent is called "nobody" here');
    expect(worker.err()).not.toMatch(/^\s+at /m);
  });

  test('takes agents of its own, and everything else, as JSON from standard input', async () => {
    const input = { agents: [{ name: 'clerk', instructions: 'You extract the facts.' }], task: tea };

    const ended = await ostinato(['run', 'sequential', '--input', '-', '--json'], { cwd, env, stdin: JSON.stringify(input) });

    expect(JSON.parse(ended.out.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      status: 'completed',
      output: expect.stringContaining('Brahmaputra'),
    });
  });

  test('interrupted with Ctrl-C, stops watching and leaves the run alone', async () => {
    const id = uniqueId('article');
    await using running = startOstinato(['run', 'article', '--file', 'tea.md', '--id', id], { cwd, env });
    await running.says(/analyst\n/);

    running.kill('SIGINT');
    const { code, err } = await running.ended;

    expect(code).toBe(130);
    expect(err).toContain(`Stopped watching; the run is not stopped. Come back with:  npx ostinato watch ${id}\n`);
    expect((await ask('result', id)).code).toBe(0);
  });
});

describe('a run that was started', () => {
  const id = uniqueId('article');

  test('has its id on standard output at once', async () => {
    const { code, out, err } = await ask('start', 'article', '--file', 'tea.md', '--id', id);

    expect(out).toBe(`${id}\n`);
    expect(err).toContain(`npx ostinato watch ${id}`);
    expect(code).toBe(0);
  });

  test('cannot be started again, and is not waited for longer than --timeout says, while it is open', async () => {
    // It ends when it is told to.
    const open = uniqueId('open');
    await ask('start', 'session', '--agents', 'writer', '--id', open);

    const again = await ask('start', 'article', '--file', 'tea.md', '--id', open);
    const human = await ask('result', open, '--timeout', '50ms');
    const json = await ask('result', open, '--timeout', '50ms', '--json');
    await ask('cancel', open);

    expectOneMessage(again, new RegExp(`^✗ A run "${open}" is open already`));
    expect(again.code).toBe(2);
    expectOneMessage(human, /^✗ The run .* has not ended within 50 ms; it goes on/);
    expect(human.code).toBe(5);
    expect(JSON.parse(json.out)).toMatchObject({ error: { type: 'Run.TimedOut' } });
  });

  test('is watched from any process, to its end', async () => {
    const { code, out } = await ostinatoProcess(['watch', id], { cwd, env });

    expect(out).toMatch(/^article: analyst, writer, editor\n\n[^]*analyst\n[^]*writer\n[^]*editor\n/);
    expect(code).toBe(0);
  });

  test('is watched from where one left off', async () => {
    const all = (await ask('watch', id, '--json')).out.trimEnd().split('\n');
    const rest = (await ask('watch', id, '--json', '--from', '5')).out.trimEnd().split('\n');

    expect(rest).toEqual(all.slice(5));
  });

  test('has a result, a status, a transcript and a state', async () => {
    const result = JSON.parse((await ask('result', id, '--json')).out) as { output: string };
    const status = JSON.parse((await ask('status', id, '--json')).out) as { result: unknown };
    const transcript = JSON.parse((await ask('transcript', id, '--json')).out) as { entries: { turn?: number }[] };
    const state = JSON.parse((await ask('export', id, '--agent', 'editor')).out) as object;

    expect(result).toMatchObject({ status: 'completed', rounds: 3, output: expect.stringMatching(/tea/i) });
    expect(status).toMatchObject({
      runId: id,
      orchestration: 'article',
      status: 'completed',
      agents: ['analyst', 'writer', 'editor'],
      result,
    });
    expect(transcript.entries.map(({ turn }) => turn)).toEqual([undefined, 1, 2, 3]);
    expect(state).toMatchObject({ schemaVersion: '1.1.0', data: { conversationHistory: expect.any(Array) } });
  });

  test('is readable too', async () => {
    expect((await ask('result', id)).out).toMatch(/Assam/);
    expect((await ask('status', id)).out).toMatch(/^run +article\/.*\nwhat +article \(sequential\)\nstatus +completed\n/);
    expect((await ask('transcript', id)).out).toMatch(/^user {2}.*\n# Tea in Assam\n[^]*\n\nanalyst {2}.*, turn 1\n/);
  });

  test('is in the list', async () => {
    // Temporal lists what happens with some delay.
    await eventually(async () => {
      const runs = JSON.parse((await ask('list', '--json', '--limit', '100')).out) as { id: string }[];
      expect(runs.find((run) => run.id === id)).toMatchObject({ pattern: 'sequential', status: 'completed' });
    });

    expect((await ask('list', '--limit', '100')).out).toContain(id);
    expect((await ask('list', '--open')).out).not.toContain(id);
  });

  test('and has ended cannot be ended again', async () => {
    const { code, out } = await ask('cancel', id);

    expect(out).toBe(`${id} has ended: completed.\n`);
    expect(code).toBe(0);
  });
});

describe('say', () => {
  const session = randomUUID().slice(0, 8);
  const id = `session/editor/${session}`;

  test('opens a session and prints the reply as it comes', async () => {
    const { code, out, err } = await ostinatoProcess(['say', 'editor', '--session', session, '--file', 'tea.md'], { cwd, env });

    expect(out).toMatch(/^[^✗]*Assam[^]*\n$/);
    expect(err).toMatch(new RegExp(`^${id} · \\d`));
    expect(code).toBe(0);
  });

  test('goes on with it by its id, and remembers', async () => {
    const { out } = await say(id, 'When', 'did', 'Robert', 'Bruce', 'find', 'wild', 'plants?');

    expect(out).toContain('1823');
  });

  test('under the same message id says it once', async () => {
    const first = JSON.parse((await say(id, 'Make it shorter.', '--id', 'once', '--json')).out) as { reply: string };
    const second = JSON.parse((await say(id, 'Make it shorter.', '--id', 'once', '--json')).out) as { reply: string };

    expect(first).toMatchObject({ runId: id, turnId: 'once', status: 'completed' });
    expect(second).toEqual(first);
    expect((await ask('transcript', id)).out.match(/Make it shorter\./g)).toHaveLength(1);
  });

  test('to an open run by its id goes to that run', async () => {
    const own = `own-${session}`;
    await ask('start', 'session', '--agents', 'writer', '--id', own);

    const { code, err } = await say(own, 'Hello.');

    expect(err).toMatch(new RegExp(`^${own} · `));
    expect(code).toBe(0);
    await ask('cancel', own);
  });

  test('goes on with the conversation of an earlier run', async () => {
    const { code, out } = await say('writer', '--session', `after-${session}`, '--conversation', id, 'When was the auction?');

    expect(out).toContain('1839');
    expect(code).toBe(0);
  });

  test('to an agent that nobody knows says which there are', async () => {
    const ended = await say('nobody', 'Hello.');

    expectOneMessage(ended, /no agent is called "nobody" here; known: analyst, writer, editor/);
    expect(ended.code).toBe(2);
  });

  test('to a run that does not listen is refused', async () => {
    const own = uniqueId('article');
    await ask('start', 'article', '--file', 'tea.md', '--id', own);

    const ended = await say(own, 'Hello.');

    expectOneMessage(ended, /✗ /);
    expect(ended.code).toBe(2);
    await ask('cancel', own, '--now');
  });

  test('ends with the session, which tells why', async () => {
    const cancelled = await ask('cancel', id, '--reason', 'enough tea');
    const result = await ask('result', id);

    expect(cancelled.out).toBe(`${id} was asked to end after the turn in flight.\n`);
    expect(result.err).toContain('cancelled: enough tea');
    expect(result.code).toBe(6);
    expect((await ask('status', id)).out).toContain('enough tea');
  });
});

describe('no such run', () => {
  test.each([['status'], ['watch'], ['result'], ['cancel'], ['transcript'], ['export']])(
    '%s ends with 4 and one message',
    async (command) => {
      const ended = await ask(command, 'sequential/none');

      expect(ended.out).toBe('');
      expectOneMessage(ended, /^✗ There is no run "sequential\/none"/);
      expect(ended.code).toBe(4);
    },
  );
});

describe('a reader that goes away', () => {
  test('ends the command in silence', async () => {
    const id = uniqueId('article');
    await ask('start', 'article', '--file', 'tea.md', '--id', id);
    await using running = startOstinato(['watch', id, '--json'], { cwd, env });
    await running.says('run.started');

    running.process.stdout?.destroy();
    const { code, err } = await running.ended;

    expect(err).toBe('');
    expect(code).toBe(0);
  });
});

describe('where no worker polls', () => {
  test('run and say tell so within seconds, keep waiting, and go on when one comes', async () => {
    const elsewhere = { ...env, OSTINATO_TASK_QUEUE: `cli-${randomUUID()}` };
    await using running = startOstinato(['run', 'sequential', '--agents', 'writer', '--file', 'tea.md'], { cwd, env: elsewhere });
    await using saying = startOstinato(['say', 'writer', 'Hello.'], { cwd, env: elsewhere });
    const notice = `No worker is polling task queue "${elsewhere.OSTINATO_TASK_QUEUE}": start one with \`npx ostinato worker\`. Waiting.\n`;
    await running.says(notice);
    await saying.says(notice);

    await using late = startOstinato(['worker'], { cwd, env: elsewhere });
    const ended = await Promise.all([running.ended, saying.ended]);

    expect(late.pid).toBeGreaterThan(0);
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    expect(ended[1].out).toBe('Noted: Hello.\n');
  });

  test('start says that the run waits, and status says what is missing', async () => {
    const elsewhere = { ...env, OSTINATO_TASK_QUEUE: `cli-${randomUUID()}` };

    const started = await ostinato(['start', 'article', '--task', 'x'], { cwd, env: elsewhere });
    const status = await ostinato(['status', started.out.trim()], { cwd, env: elsewhere });

    expect(started.code).toBe(0);
    expect(started.err).toMatch(/^No worker is polling task queue .* Until then the run waits\.\n/);
    expectOneMessage(status, /✗ No worker is polling task queue/);
    expect(status.code).toBe(3);
  });
});

describe('worker', () => {
  test('asked to stop, lets the call in flight finish', async () => {
    const own = { ...env, OSTINATO_TASK_QUEUE: `cli-${randomUUID()}` };
    await using first = startOstinato(['worker', '--json'], { cwd, env: own });
    await first.says('"usesStandIn":true');
    await using watching = startOstinato(['run', 'article', '--file', 'tea.md', '--json'], { cwd, env: own });
    await watching.says('"delta"');

    first.kill('SIGTERM');
    const drained = await first.ended;
    await using second = startOstinato(['worker'], { cwd, env: own });
    const { code, out } = await watching.ended;

    expect(drained.code).toBe(0);
    expect(second.pid).toBeGreaterThan(0);
    expect(code).toBe(0);
    expect(out).not.toContain('step.restarted');
  });

  test('asked twice, ends at once', async () => {
    const own = { ...env, OSTINATO_TASK_QUEUE: `cli-${randomUUID()}` };
    await writeFile(join(cwd, 'sleepy.config.ts'), sleepy);
    await using stubborn = startOstinato(['worker', '--config', 'sleepy.config.ts'], { cwd, env: own });
    await stubborn.says('Working on task queue');
    const id = (await ostinato(['start', 'sequential', '--agents', 'cat', '--task', 'Take a nap.'], { cwd, env: own })).out.trim();
    await using watching = startOstinato(['watch', id, '--json'], { cwd, env: own });
    await watching.says('"tool.called"');

    stubborn.kill('SIGTERM');
    await stubborn.says('Letting running calls finish');
    stubborn.kill('SIGTERM');

    expect((await stubborn.ended).code).toBe(130);
  });
});
