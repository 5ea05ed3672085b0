/** Temporal's own command, which knows nothing of ours, and ours, over the same run. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RequestView } from '../../src/index.js';
import { findTemporal } from '../../src/dev/temporal-binary.js';
import { eventually } from '../support/eventually.js';
import { temporalForTests } from '../support/servers.js';
import { ostinato, startOstinato, type Running } from './support.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const taskQueue = `temporal-cli-${randomUUID()}`;
let cwd: string;
let env: Record<string, string>;
let worker: Running;
let binary: string;

beforeAll(async () => {
  const { address, namespace, cacheDir } = temporalForTests();
  cwd = await mkdtemp(join(tmpdir(), 'ostinato-temporal-cli-'));
  env = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, OSTINATO_TASK_QUEUE: taskQueue, OSTINATO_DATA_DIR: join(cwd, 'data') };
  binary = await findTemporal({ cacheDir, env: process.env });
  await mkdir(join(cwd, 'node_modules'));
  await symlink(root, join(cwd, 'node_modules/ostinato'));
  await symlink(join(root, 'node_modules/zod'), join(cwd, 'node_modules/zod'));
  await writeFile(join(cwd, 'ostinato.config.mjs'), project);
  worker = startOstinato(['worker'], { cwd, env });
  await worker.says('Working on task queue');
});

afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await rm(cwd, { recursive: true, force: true });
});

const project = `
import { defineTool } from 'ostinato';
import { z } from 'zod';

const refund = defineTool({
  name: 'refund',
  description: 'Pays an amount back for an order.',
  input: z.object({ order: z.string(), amount: z.number().positive() }),
  approval: { when: ({ amount }) => amount > 100, assignee: 'ann', role: 'finance' },
  run: ({ order, amount }) => ({ order, paid: amount }),
});

export default { tools: [refund] };
`;

/** The command of Temporal; what it prints, as JSON. */
async function temporal<T = Record<string, unknown>>(...args: string[]): Promise<T> {
  const all = ['workflow', ...args, '--address', env.TEMPORAL_ADDRESS!, '--namespace', env.TEMPORAL_NAMESPACE!, '--output', 'json'];
  const { stdout } = await promisify(execFile)(binary, all, { cwd });
  return (stdout.trim() === '' ? {} : JSON.parse(stdout)) as T;
}

async function query<T>(id: string, name: string, argument?: object): Promise<T> {
  const input = argument === undefined ? [] : ['--input', JSON.stringify(argument)];
  const { queryResult } = await temporal<{ queryResult: [T] }>('query', '--workflow-id', id, '--type', name, ...input);
  return queryResult[0];
}

async function start(type: string, input: object): Promise<string> {
  const id = `${type}/${randomUUID().slice(0, 8)}`;
  await temporal('start', '--type', type, '--task-queue', taskQueue, '--workflow-id', id, '--input', JSON.stringify(input));
  return id;
}

const say = (message: string, id: string) => JSON.stringify({ message, id });
const ours = async <T>(...args: string[]): Promise<T> => JSON.parse((await ostinato([...args, '--json'], { cwd, env })).out) as T;

const facts = { name: 'clerk', instructions: 'You extract the facts of a text.' };
const shortener = { name: 'barber', instructions: 'You shorten what the clerk wrote.' };
const task =
  'Tea from Assam is grown near the Brahmaputra. In 1823 Robert Bruce found wild tea plants there. The first 12 chests reached London ' +
  'in 1838. They were sold by auction in January 1839, and the price surprised everybody who was there. Assam now grows about half of ' +
  "India's tea. Its taste is strong and malty, because it rains up to 300 millimetres a day in the monsoon.";

test('two inline agents, started by the Temporal CLI with no code of ours, and seen by both', async () => {
  const id = await start('sequential', { agents: [facts, shortener], task });

  const result = await ours<{ status: string; output: string }>('result', id);
  const status = await query<object>(id, 'status');

  expect(result).toMatchObject({ status: 'completed', rounds: 2 });
  expect(result.output).toMatch(/Assam|tea/i);
  expect(status).toMatchObject({ pattern: 'sequential', status: 'completed', agents: ['clerk', 'barber'], result });
  // Temporal's command writes an empty list as null.
  expect(await ours('status', id)).toEqual({ ...status, turns: [], requests: [], operations: [] });
});

test('a session that the Temporal CLI speaks to by update and by signal, and our command by its id', async () => {
  const id = await start('session', { agents: [{ name: 'host', instructions: 'You answer questions about a text.' }] });

  const update = await temporal<{ result: { turnId: string } }>(
    ...['update', 'execute', '--workflow-id', id, '--name', 'say', '--input', say(task, 'one')],
  );
  await temporal('signal', '--workflow-id', id, '--name', 'say', '--input', say('How many chests reached London?', 'two'));
  const spoken = await ours<{ reply: string }>('say', id, 'When was the auction?');

  expect(update).toMatchObject({ result: { turnId: 'one' } });
  expect(spoken.reply).toContain('1839');
  expect(await query(id, 'turn', { turnId: 'two' })).toMatchObject({ status: 'completed', reply: expect.stringContaining('12 chests') });
  const { entries } = await ours<{ entries: { turn?: number }[] }>('transcript', id);
  expect(entries.map(({ turn }) => turn)).toEqual([undefined, 1, undefined, 2, undefined, 3]);
  expect(await query(id, 'checkpoint')).toMatchObject({ orchestration: 'session', transcript: { length: 6 } });

  await temporal('update', 'execute', '--workflow-id', id, '--name', 'cancel', '--input', '{"reason":"closing time"}');
  expect(await ours('result', id)).toMatchObject({ status: 'cancelled', stopReason: { code: 'cancelled', message: 'closing time' } });
});

test('a cancel by signal ends a run, and one without an argument harms nothing', async () => {
  const id = await start('session', { agents: [facts] });

  await temporal('signal', '--workflow-id', id, '--name', 'say');
  const spoken = await ours<{ reply: string }>('say', id, task);
  await temporal('signal', '--workflow-id', id, '--name', 'cancel', '--input', '{"mode":"immediate"}');

  expect(spoken.reply).toContain('Brahmaputra');
  expect(await ours('result', id)).toMatchObject({ status: 'cancelled' });
  expect((await ostinato(['watch', id], { cwd, env })).out).toContain('Refused (say)');
});

test('a run that the Temporal CLI cancels or terminates has an end for our command too', async () => {
  const [cancelled, terminated] = [await start('session', { agents: [facts] }), await start('session', { agents: [facts] })];
  await ours('say', cancelled, 'Hello.');
  await ours('say', terminated, 'Hello.');

  await temporal('cancel', '--workflow-id', cancelled);
  await temporal('terminate', '--workflow-id', terminated);

  expect(await ours('result', cancelled)).toMatchObject({ status: 'cancelled' });
  expect((await ostinato(['watch', cancelled], { cwd, env })).code).toBe(6);
  expect(await ostinato(['result', terminated], { cwd, env })).toMatchObject({ code: 1, err: expect.stringContaining('was terminated') });
  expect(await ostinato(['watch', terminated], { cwd, env })).toMatchObject({ code: 1, err: expect.stringContaining('terminated') });
});

test('what an agent says is sent back and approved by signals of the Temporal CLI, and by nobody who is not asked', async () => {
  const id = await start('sequential', { agents: [{ ...facts, review: { assignee: 'ann', timeout: '72 hours' } }], task });
  const asked = async (requestId: string) =>
    await eventually(async () => {
      const open = (await query<RequestView[]>(id, 'requests')).find(({ status }) => status === 'pending');
      expect(open?.requestId).toBe(requestId);
      return open!;
    });
  const respond = async (answer: object) =>
    await temporal('signal', '--workflow-id', id, '--name', 'respond', '--input', JSON.stringify(answer));

  expect(await asked('review-1-0')).toMatchObject({ kind: 'review', assignee: ['ann'], agent: 'clerk' });
  await respond({ requestId: 'review-1-0', response: 'approve', by: 'eve' });
  await respond({ requestId: 'review-1-0', response: { decision: 'revise', feedback: 'Please make it shorter.' }, by: 'ann' });
  await asked('review-1-1');
  await respond({ requestId: 'review-1-1', response: 'approve', by: 'ann' });

  expect(await ours('result', id)).toMatchObject({ status: 'completed', rounds: 1 });
  expect((await ostinato(['watch', id], { cwd, env })).out).toContain('Refused (respond)');
});

test('an input that is wrong fails the run at once, with all of its problems', async () => {
  const id = await start('sequential', { agents: ['nobody', 'nobody'], limits: { turns: 0 } });

  const ended = await ostinato(['result', id], { cwd, env });

  expect(ended.code).toBe(2);
  expect(ended.err).toMatch(/- task: .*\n.*limits\.turns|- limits\.turns: [^]*- task: /);
  expect(await query(id, 'status')).toMatchObject({ status: 'failed', failure: { type: 'Input.Invalid' } });
});

const boss = { name: 'boss', instructions: 'You lead the others and judge how it goes.' };
const teams: [pattern: string, input: object][] = [
  ['sequential', { agents: [facts, shortener], options: { contextMode: 'lastReply' } }],
  ['concurrent', { agents: [facts, shortener], options: { failurePolicy: 'collect', aggregator: { agent: boss } } }],
  [
    'routing',
    {
      agents: [facts, shortener],
      options: { classifier: { agent: boss }, routes: { tea: 'clerk', cars: 'barber' }, default: 'barber' },
    },
  ],
  ['handoff', { agents: [facts, shortener], options: { maxTurns: 4 } }],
  ['groupChat', { agents: [facts, shortener], options: { manager: { agent: boss }, maxRounds: 3 } }],
  ['magentic', { agents: [facts, shortener], options: { manager: { agent: boss }, maxRounds: 4 } }],
  ['sequential', { agents: [facts, { name: 'panel', pattern: 'concurrent', agents: [shortener, boss] }] }],
];

test.each(teams)('a %s run of inline agents, started by the Temporal CLI with plain JSON, comes to its end', async (pattern, input) => {
  const id = await start(pattern, { task, ...input });

  const { status, output, rounds } = await ours<{ status: string; output: unknown; rounds: number }>('result', id, '--timeout', '100s');

  expect(status).toMatch(/completed|stopped/);
  expect(JSON.stringify(output)).toMatch(/Assam|tea|chests|auction/i);
  expect(rounds).toBeGreaterThan(0);
});

describe('a run that asks a person', () => {
  const desk = { name: 'desk', instructions: 'You answer questions about a text.' };
  const open = async (id: string): Promise<RequestView> => {
    for (;;) {
      const [request] = ((await query<RequestView[] | null>(id, 'requests')) ?? []).filter(({ status }) => status === 'pending');
      if (request) return request;
    }
  };

  test('is answered by either command, and tells of it', async () => {
    const id = await start('handoff', { task, agents: [desk], options: { person: true } });
    const first = await open(id);

    const listed = await ostinato(['requests', id], { cwd, env });
    const wrong = await ostinato(['respond', id, first.requestId, '{"words": 7}'], { cwd, env });
    const answered = await ostinato(['respond', id, first.requestId, 'When was the auction?', '--by', 'anna'], { cwd, env });
    const second = await open(id);
    const end = JSON.stringify({ requestId: second.requestId, response: { end: true } });
    await temporal('signal', '--workflow-id', id, '--name', 'respond', '--input', end);

    expect(listed.out).toContain(first.requestId);
    expect(listed.out).toContain(`ostinato respond ${id} ${first.requestId}`);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('still waits') });
    expect(answered).toMatchObject({ code: 0, out: `${first.requestId} is answered.\n` });
    expect(await ours('result', id)).toMatchObject({ status: 'completed', output: expect.stringContaining('1839') });
    expect(await ours<RequestView[]>('requests', id, '--all')).toMatchObject([{ status: 'answered', by: 'anna' }, { status: 'answered' }]);
    const late = await ostinato(['respond', id, first.requestId, 'Something else.'], { cwd, env });
    expect(late.code).not.toBe(0);
    expect((await ostinato(['watch', id], { cwd, env })).out).toContain(`${first.requestId} is answered by anna`);
  });

  test('whether a tool may run is answered by the Temporal CLI, with other arguments; a small call asks nobody', async () => {
    const clerk = { ...desk, tools: ['refund'] };
    const small = await start('sequential', { agents: [clerk], task: 'Refund the amount 20 for order 1043.' });
    expect(await ours('result', small)).toMatchObject({ status: 'completed' });
    expect(await ours('requests', small, '--all')).toEqual([]);

    const id = await start('sequential', { agents: [clerk], task: 'Refund the amount 250 for order 1044.' });
    const asked = await open(id);
    expect(asked).toMatchObject({ kind: 'toolApproval', assignee: ['ann'], call: { tool: 'refund', arguments: { amount: 250 } } });
    const respond = (response: unknown, by: string) =>
      temporal(
        ...['update', 'execute', '--workflow-id', id, '--name', 'respond'],
        ...['--input', JSON.stringify({ requestId: asked.requestId, response, by })],
      );
    const refusal = async (answer: Promise<unknown>) =>
      await answer.then(
        () => 'accepted',
        ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
      );
    expect(await refusal(respond('approve', 'eve'))).toMatch(/is for .*ann.* to answer/);
    expect(await refusal(respond({ decision: 'approve', arguments: { order: 1044 } }, 'ann'))).toMatch(/still waits/);
    await respond({ decision: 'approve', arguments: { order: '1044', amount: 200 } }, 'ann');

    expect(await ours('result', id)).toMatchObject({ status: 'completed', output: expect.stringContaining('200') });
    expect(await query(id, 'requests')).toMatchObject([{ status: 'answered', by: 'ann' }]);
    expect(await ours('audit', id)).toMatchObject([{ requestId: asked.requestId, status: 'answered', by: 'ann', role: 'finance' }]);
  });

  test('a colleague takes over from an agent, and hands back, by the Temporal CLI', async () => {
    const agents = [desk, { name: 'colleague', description: 'Complaints.', instructions: 'You say what the customer wants.' }];
    const options = { person: { timeout: '2 days' } };
    const id = await start('handoff', { agents, options, task: 'My parcel arrived broken.' });
    const { requestId } = await open(id);
    const response = { message: 'Anna here. Another one is on its way.', end: true };
    await temporal('signal', '--workflow-id', id, '--name', 'respond', '--input', JSON.stringify({ requestId, response, by: 'anna' }));

    expect(await ours('result', id)).toMatchObject({ status: 'completed' });
    const next = await start('handoff', { agents, options, conversation: id, task: 'Thank you. When?' });
    expect(await open(next)).toMatchObject({ kind: 'question' });
    const { entries } = await ours<{ entries: { message: { authorName?: string } }[] }>('transcript', next);
    expect(entries.map(({ message }) => message.authorName)).toContain('anna');
    await temporal('signal', '--workflow-id', next, '--name', 'cancel', '--input', '{}');
  });

  test('a plan is sent back and approved by the Temporal CLI', async () => {
    const id = await start('magentic', { task, agents: [facts], options: { planReview: { timeout: '1 hour' }, maxRounds: 3 } });
    const answer = async (requestId: string, response: unknown) => {
      await eventually(async () => expect((await open(id)).requestId).toBe(requestId));
      await temporal('signal', '--workflow-id', id, '--name', 'respond', '--input', JSON.stringify({ requestId, response }));
    };

    await answer('plan-0-0', { decision: 'revise', feedback: 'Fewer steps.' });
    await answer('plan-0-1', 'approve');

    expect(await ours('result', id, '--timeout', '100s')).toMatchObject({ status: expect.stringMatching(/completed|stopped/) });
  });

  test('comes to its end when it is asked to, if it has said that it may be', async () => {
    const id = await start('handoff', { task, agents: [desk], options: { person: true }, termination: { type: 'external' } });
    await open(id);

    const stopped = await ostinato(['stop', id, '--reason', 'enough'], { cwd, env });

    expect(stopped).toMatchObject({ code: 0, out: expect.stringContaining('comes to its end') });
    expect(await ours('result', id)).toMatchObject({ status: 'completed', stopReason: { code: 'condition' } });
    const other = await start('session', { agents: [desk] });
    await ours('say', other, 'Hello.');
    expect(await ostinato(['stop', other], { cwd, env })).toMatchObject({ code: 2, err: expect.stringContaining('Cancel it instead') });
  });
});
