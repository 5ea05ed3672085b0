/** Conversations in the terminal, with real workers and a model whose words are known. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { defineAgent, defineOrchestration } from '../../../src/index.js';
import type { ScriptedReply } from '../../../src/testing/scripted-model.js';
import { eventually } from '../../support/eventually.js';
import { devServer, temporalForTests } from '../../support/servers.js';
import { openWorld, type World } from '../../support/world.js';
import { ostinato, startOstinato } from '../support.js';
import { typing } from './screen.js';

let environment: TestWorkflowEnvironment;
let world: World;
let at: { cwd: string; env: Record<string, string> };
/** What the model says, in order; a test waits with `hold` for the moment at which it does. */
let lines: (ScriptedReply | Promise<ScriptedReply>)[] = [];

const writer = defineAgent({ name: 'writer', instructions: 'Write.', model: 'writer' });
const clerk = defineAgent({ name: 'clerk', instructions: 'Ask.', model: 'clerk' });
const shop = defineOrchestration({ name: 'shop', pattern: 'handoff', agents: [clerk], options: { person: true } });
const team = defineOrchestration({ name: 'team', pattern: 'sequential', agents: [writer] });
const project = `export default { orchestrations: [
  { name: 'shop', pattern: 'handoff', agents: ['clerk'], options: { person: true } },
  { name: 'team', pattern: 'sequential', agents: ['writer'] },
] };`;

beforeAll(async () => {
  environment = await devServer();
  const cwd = await mkdtemp(join(tmpdir(), 'ostinato-chat-'));
  await writeFile(join(cwd, 'ostinato.config.mjs'), project);
  const script = async () => (await lines.shift()) ?? { status: 400, body: { error: { message: 'No line is left.' } } };
  const dataDir = join(cwd, 'data');
  world = await openWorld({ environment, agents: [writer, clerk], orchestrations: [shop, team], script, config: { dataDir } });
  const { address, namespace } = temporalForTests();
  const env = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    OSTINATO_TASK_QUEUE: world.taskQueue,
    OSTINATO_DATA_DIR: dataDir,
  };
  at = { cwd, env };
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await environment?.teardown();
  if (at) await rm(at.cwd, { recursive: true, force: true });
});
beforeEach(() => {
  lines = [];
});

/** A line of the model that comes when it is let go. */
function hold(text: string): () => void {
  let letGo = () => undefined as void;
  lines.push(new Promise((resolve) => (letGo = () => resolve(text))));
  return () => letGo();
}

const newKey = () => `k${randomUUID().slice(0, 8)}`;

describe('line by line, for scripts', () => {
  test('each line is a message, each reply is printed, and the end of the lines is the end', async () => {
    const key = newKey();
    lines = ['Green.', 'Black.'];

    const { code, out, err } = await ostinato(['chat', 'writer', '--key', key], { ...at, stdin: 'Which tea?\nAnd which else?\n' });

    expect(out).toBe('writer\nGreen.\n\nwriter\nBlack.\n\n');
    expect(err).toContain(`session/writer/${key}: a new conversation`);
    expect(err).toContain(`npx ostinato chat writer --key ${key}`);
    expect(code).toBe(0);
    const said = await world.client.attach(`session/writer/${key}`).transcript();
    expect(said.map(({ message }) => message.role)).toEqual(['user', 'assistant', 'user', 'assistant']);
  });

  test('the command that came before goes on, and shows shortly what was said', async () => {
    const key = newKey();
    lines = ['Green.', 'Black.'];
    await ostinato(['chat', 'writer', '--key', key, 'Which', 'tea?'], at);

    const { out } = await ostinato(['chat', 'writer', '--key', key], { ...at, stdin: 'Another.' });

    expect(out).toBe('user  Which tea?\nwriter  Green.\n\nwriter\nBlack.\n\n');
  });

  test('what an orchestration asks is answered by the next line; one that comes after its end goes on with the conversation', async () => {
    const key = newKey();
    lines = ['Green or black?', 'One pound?', 'Again: green or black?'];

    const { out, code } = await ostinato(['chat', 'shop', '--key', key, '--by', 'anna'], {
      ...at,
      stdin: 'Tea, please.\nBlack.\n/end\nMore tea.\n/end\n',
    });

    expect(code).toBe(0);
    expect(out).toContain('clerk\nGreen or black?\n\nclerk asks you (question-1).\nIn your own words, or /end.\n');
    expect(out).not.toContain('is answered');
    const [first, second] = [1, 2].map((n) => world.client.attach(`chat/shop/${key}/${n}`));
    expect((await first!.requests()).map(({ response, by }) => [response, by])).toEqual([
      ['Black.', 'anna'],
      [{ end: true }, 'anna'],
    ]);
    const said = (await second!.transcript()).map(({ message }) => message.authorName ?? message.role);
    expect(said).toEqual(['user', 'clerk', 'anna', 'clerk', 'user', 'clerk']);
  });

  test('a line that does not fit is refused with the reason, and the next one counts', async () => {
    lines = ['Green or black?'];

    const { out } = await ostinato(['chat', 'shop', '--key', newKey()], { ...at, stdin: 'Tea.\n/nothing\n/end\n' });

    expect(out).toContain('It must be one of: end.');
  });

  test('what fails is told, and is the exit code of a script', async () => {
    const unknown = await ostinato(['chat', 'nobody-knows', 'Hello.'], at);
    const failed = await ostinato(['chat', 'writer', '--key', newKey(), 'Hello.'], at);
    const absent = await ostinato(['chat', 'no/such/run', 'Hello.'], at);

    expect([unknown.code, failed.code, absent.code]).toEqual([2, 1, 4]);
    expect(unknown.err).toContain('nobody-knows');
    expect(failed.out).toContain('The turn failed');
  });

  test('as JSON it is a line for each event and each request', async () => {
    lines = ['Green or black?'];

    const { out } = await ostinato(['chat', 'shop', '--key', newKey(), '--json'], { ...at, stdin: 'Tea.\n/end\n' });

    const documents = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type?: string; request?: { requestId: string } });
    expect(documents.find(({ request }) => request)).toMatchObject({ request: { requestId: 'question-1' } });
    expect(documents.at(-1)).toMatchObject({ type: 'run.finished' });
  });

  test('nobody else steers the terminal: neither a model nor a prompt', async () => {
    lines = ['\u001b[2J\u001b]0;owned\u0007Green\u009b31m or black?'];

    const { out, err } = await ostinato(['chat', 'shop', '--key', newKey()], { ...at, stdin: 'Tea \u001b[31m.\n/end\n' });

    // eslint-disable-next-line no-control-regex -- These must not be there.
    expect(out + err).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    expect(out).toContain('Green31m or black?');
  });
});

describe('at a terminal', () => {
  test('words are typed at a prompt, which comes when the turn is done', async () => {
    const letGo = hold('Green.');
    await using person = typing(['chat', 'writer', '--key', newKey()], at);

    await person.sees('> ');
    person.enter('Which tea?');
    await person.sees('Which tea?');
    person.type('no');
    letGo();
    await person.sees('writer\nGreen.\n\n> no');
    lines = ['Fine.'];
    person.enter(', black');
    await person.sees(', black');
    await person.sees('writer\nFine.\n\n> ');
    person.enter('/quit');

    expect(await person.ended).toBe(0);
    expect(person.screen()).toMatch(/Come back with: {2}npx ostinato chat writer --key \w+\n$/);
  });

  test('what was typed before a question was on the screen does not answer it', async () => {
    const key = newKey();
    const letGo = hold('Green or black?');
    await using person = typing(['chat', 'shop', '--key', key, 'Tea.'], at);

    await eventually(() => expect(lines).toEqual([]));
    person.enter('/end');
    letGo();
    await person.sees('answer: /end');
    expect((await world.client.attach(`chat/shop/${key}/1`).requests())[0]).toMatchObject({ status: 'pending' });
    person.enter('');
    await person.sees('✓ completed');
  });

  test.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('%s leaves, and the run goes on; the same command shows the open question again', async (_, keys) => {
    const key = newKey();
    lines = ['Green or black?', 'Fine.'];
    const command = ['chat', 'shop', '--key', key];
    {
      await using person = typing([...command, 'Tea.'], at);
      await person.sees('clerk asks you (question-1).');
      await person.sees('answer: ');
      person.type(keys);
      expect(await person.ended).toBe(0);
    }

    await using again = typing(command, at);
    await again.sees('user  Tea.\nclerk  Green or black?');
    await again.sees('clerk asks you (question-1).');
    await again.sees('answer: ');
    again.enter('Black.');
    await again.sees('clerk\nFine.');
    await again.sees('answer: ');
    again.enter('/end');
    await again.sees('✓ completed');
  });

  test('a question that somebody else answers leaves the screen, and so does one whose run ends', async () => {
    const key = newKey();
    lines = ['Green or black?', 'One pound?'];
    await using person = typing(['chat', 'shop', '--key', key, 'Tea.'], at);
    const run = world.client.attach(`chat/shop/${key}/1`);

    await person.sees('answer: ');
    person.type('Bla');
    await run.respond('question-1', 'Green.', { by: 'ben' });
    await person.sees('question-1 is answered by ben: Green.');
    await person.sees('clerk asks you (question-2).');
    await person.sees('answer: Bla');
    await run.cancel();
    await person.sees('■ cancelled');
    await person.sees('> Bla');
  });

  test('two are in one conversation: each sees what the other says, and what was typed stays', async () => {
    const key = newKey();
    lines = ['Hello.', 'Hello Ben.'];
    await using anna = typing(['chat', 'writer', '--key', key, 'I am Anna.'], at);
    await anna.sees('writer\nHello.\n\n> ');
    anna.type('And what');
    await using ben = typing(['chat', 'writer', '--key', key], at);

    await ben.sees('user  I am Anna.');
    await ben.sees('> ');
    ben.enter('I am Ben.');

    await ben.sees('writer\nHello Ben.\n\n> ');
    await anna.sees('I am Ben.');
    await anna.sees('writer\nHello Ben.\n\n> And what');
  });

  test('two answer one question: one counts, and the other is told', async () => {
    const key = newKey();
    lines = ['Green or black?', 'One pound?'];
    await using anna = typing(['chat', 'shop', '--key', key, '--by', 'anna', 'Tea.'], at);
    await anna.sees('answer: ');
    await using ben = typing(['chat', `chat/shop/${key}/1`, '--by', 'ben'], at);
    await ben.sees('answer: ');

    anna.enter('Green.');
    ben.enter('Black.');

    await anna.sees('question-2');
    await ben.sees('question-2');
    const [first] = await world.client.attach(`chat/shop/${key}/1`).requests();
    expect(['Green.', 'Black.']).toContain(first?.response);
  });

  test('commands help on: what waits, where the run is, to leave a question to others, to end the run', async () => {
    const key = newKey();
    lines = ['Green or black?'];
    await using person = typing(['chat', 'shop', '--key', key, 'Tea.'], at);

    await person.sees('answer: ');
    person.enter('/help');
    await person.sees('/skip');
    person.enter('/status');
    await person.sees('waits for');
    person.enter('/skip');
    await person.sees('> ');
    person.enter('Something else.');
    await person.sees('has not ended');
    person.enter('/requests');
    await person.sees('respond');
    await person.sees('answer: ');
    person.enter('/cancel');
    await person.sees('■ cancelled');
    person.enter('/quit');
    expect(await person.ended).toBe(0);
  });

  test('a huge prompt is shown by its beginning', async () => {
    lines = [`${'tea '.repeat(6000)}?`];
    const key = newKey();
    await using first = typing(['chat', 'shop', '--key', key, 'Tea.'], at);
    await first.sees('answer: ');
    await using person = typing(['chat', 'shop', '--key', key], at);

    await person.sees('answer: ');
    expect(person.screen().length).toBeLessThan(20_000);
  });
});

test('killed with -9 and started again, nothing is lost', async () => {
  const key = newKey();
  const letGo = hold('Green or black?');
  const command = ['chat', 'shop', '--key', key];
  const killed = startOstinato([...command, 'Tea.'], at);
  await eventually(() => expect(lines).toEqual([]));
  killed.kill('SIGKILL');
  await killed.ended;
  letGo();
  lines = ['Fine.'];

  const { out } = await ostinato(command, { ...at, stdin: 'Black.\n/end\n' });

  expect(out).toMatch(/^user {2}Tea\.\n[^]*clerk asks you \(question-1\)[^]*clerk\nFine\./);
});
