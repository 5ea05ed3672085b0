/** What lies in the database files of the store and of the Temporal server: searched, byte by byte, for what was said. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { findOrStartServer, type FoundServer } from '../../src/dev/server.js';
import { defineTool, failureOf, type RequestView } from '../../src/index.js';
import { newKey } from '../../src/encryption/keys.js';
import { loadConfig } from '../../src/config.js';
import { eventually } from '../support/eventually.js';
import { temporalForTests } from '../support/servers.js';
import { openWorld } from '../support/world.js';

/** No two begin alike, and none is a word of ours. */
const words = {
  instructions: 'quagmirefolly',
  message: 'wombatlantern',
  argument: 'pretzelgalaxy',
  toolResult: 'hedgehogopera',
  reply: 'turnipballoon',
  label: 'velvetanchovy',
  task: 'jellyfishsaddle',
  prompt: 'marzipanglacier',
  answer: 'biscuitthunder',
  failure: 'ostrichpiano',
  toolFailure: 'cactusviolin',
  functionOutput: 'gherkinsonata',
};

let directory: string;
const servers: FoundServer[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ostinato-at-rest-'));
});
afterAll(async () => {
  for (const server of servers) await server.stop();
  await rm(directory, { recursive: true, force: true });
});

test('with keys, no word of anybody is found in any file, and failures keep their types', async () => {
  const dataDir = join(directory, 'sealed');
  const { failure } = await talk(dataDir, newKey());

  expect(await wordsFoundIn(dataDir)).toEqual([]);
  expect(failure).toMatchObject({ type: 'Model.Refused', message: expect.stringContaining(words.failure) });
});

test('without keys, each is found: so the search can find them', async () => {
  const dataDir = join(directory, 'open');
  await talk(dataDir);

  expect(await wordsFoundIn(dataDir)).toEqual(Object.keys(words));
});

/** A server and a world of their own, in which every kind of word is said once. All are closed afterwards. */
async function talk(dataDir: string, encryptionKeys?: string): Promise<{ failure: { type: string; message: string } }> {
  const { cacheDir } = temporalForTests();
  const server = await findOrStartServer({ config: loadConfig({ dataDir, cacheDir }), ports: { server: 0, ui: 0 } });
  servers.push(server);
  const { address, namespace } = server;
  const environment = await TestWorkflowEnvironment.createFromExistingServer({ address, namespace });
  try {
    await using world = await openWorld({
      environment,
      tools: [note, broken],
      config: { dataDir, ...(encryptionKeys && { encryptionKeys }) },
      script: {
        clerk: [
          { calls: [{ name: 'note', arguments: { text: words.argument } }] },
          { calls: [{ name: 'broken', arguments: { text: words.argument } }] },
          words.reply,
        ],
        desk: [`Which one, ${words.prompt}?`, 'Done.'],
        poet: [{ status: 400, body: { error: { message: `No ${words.failure} here.` } } }],
        writer: [words.functionOutput],
      },
    });
    const { client } = world;
    const session = client.session({ name: 'clerk', model: 'clerk', instructions: words.instructions, tools: ['note', 'broken'] }, 'anna');
    const { reply } = await session.say(words.message);
    await session.save({ label: words.label });
    expect(reply).toBe(words.reply);
    expect((await session.snapshots())[0]?.label).toBe(words.label);

    const asking = await client.start('handoff', {
      task: words.task,
      agents: [{ name: 'desk', model: 'desk', instructions: 'Ask.' }],
      options: { person: true },
    });
    const request = await eventually(async () => {
      const [open] = await asking.requests();
      expect(open?.status).toBe('pending');
      return open as RequestView;
    });
    expect(JSON.stringify(request)).toContain(words.prompt);
    await asking.respond(request.requestId, words.answer);

    const writing = await client.start('sequential', {
      task: 'Go.',
      agents: [{ name: 'writer', model: 'writer', instructions: 'Write.' }],
    });
    expect((await writing.result()).output).toBe(words.functionOutput);

    const failing = await client.start('sequential', { task: 'Go.', agents: [{ name: 'poet', model: 'poet', instructions: 'Rhyme.' }] });
    const failure = await failing.result().then(() => expect.fail(), failureOf);
    const events: string[] = [];
    for await (const { type } of failing.watch()) events.push(type);
    expect(events.at(-1)).toBe('run.failed');
    return { failure };
  } finally {
    await environment.teardown();
    await server.stop();
  }
}

const note = defineTool({ name: 'note', description: 'Notes.', input: z.object({ text: z.string() }), run: () => words.toolResult });
const broken = defineTool({
  name: 'broken',
  description: 'Breaks.',
  input: z.object({ text: z.string() }),
  run: () => {
    throw new Error(words.toolFailure);
  },
});

async function wordsFoundIn(dataDir: string): Promise<string[]> {
  const files = await readdir(dataDir, { recursive: true, withFileTypes: true });
  const contents = await Promise.all(files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name))));
  expect(contents.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(100_000);
  return Object.entries(words).flatMap(([name, word]) => (contents.some((content) => content.includes(word)) ? [name] : []));
}
