/** Documents that we write: what real runs leave behind, told by every agent that took part. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { z } from 'zod';
import { loadConfig } from '../../src/config.js';
import { findOrStartServer } from '../../src/dev/server.js';
import { defineAgent, defineTool, failureOf, serializeAgentState, type Content } from '../../src/index.js';
import { openWorld, type World } from '../../src/testing/index.js';

const lookUp = defineTool({
  name: 'look_up',
  description: 'Looks a word up.',
  input: z.object({ word: z.string(), depth: z.number() }),
  run: ({ word, depth }) => (word === 'nothing' ? Promise.reject(new Error('No such word.')) : { word, depth, known: [true, null, 1.5] }),
});
const agents = [
  defineAgent({ name: 'researcher', instructions: 'Find the facts.', model: 'researcher', tools: [lookUp] }),
  defineAgent({ name: 'writer', instructions: 'Write.', model: 'writer' }),
  defineAgent({ name: 'guide', instructions: 'Help.', model: 'guide' }),
];
const calls = (...words: string[]) => ({ calls: words.map((word) => ({ name: 'look_up', arguments: { word, depth: 0.1 } })) });
const script = {
  researcher: [calls('tea', 'nothing'), calls('cocoa'), 'Grüße: all are drinks. <&> "\\ 🌧'],
  writer: ['Drink tea.'],
  guide: ['I see a lighthouse.', { status: 400, body: { error: { message: 'no' } } }, 'Hello again.'],
};

/** Everything but the text, which a person has said. */
const shown: Content[] = [
  { $type: 'text', text: 'Look at these.' },
  { $type: 'data', uri: 'data:image/png;base64,iVBORw0KGgo=', mediaType: 'image/png' },
  { $type: 'uri', uri: 'https://example.com/a.png', mediaType: 'image/png' },
  { $type: 'error', message: 'Page 3 is missing.', errorCode: 'missing', details: '404' },
  { $type: 'unknown', content: { type: 'function_approval_response', id: 'a1', approved: true } },
];

/** By name. */
export async function documentsOfRuns(): Promise<{ [name: string]: string }> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
  const directory = await mkdtemp(join(tmpdir(), 'ostinato-interop-'));
  const { TEMPORAL_ADDRESS: _, TEMPORAL_PROFILE: __, ...env } = process.env;
  const config = loadConfig({ dataDir: directory }, env);
  const server = await findOrStartServer({ config, ports: { server: 0, ui: 0 }, onProgress: () => undefined });
  const environment = await TestWorkflowEnvironment.createFromExistingServer({ ...server });
  try {
    await using world = await openWorld({ environment, agents, script });
    return { ...(await sequence(world)), ...(await conversation(world)) };
  } finally {
    await environment.teardown();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function sequence({ client }: World): Promise<{ [name: string]: string }> {
  const run = await client.start('sequential', { agents: ['researcher', 'writer'], task: 'What do people drink?' });
  await run.result();
  return {
    'our run: tool calls': serializeAgentState(await run.agentState('researcher')),
    'our run: what others said': serializeAgentState(await run.agentState('writer')),
  };
}

async function conversation({ client }: World): Promise<{ [name: string]: string }> {
  const session = client.session('guide', 'anna');
  await session.say({ role: 'user', authorName: 'Anna', contents: shown });
  await session.say('This one fails.').catch((error: unknown) => {
    if (failureOf(error).type !== 'Model.Refused') throw error;
  });
  await session.say('And now?');
  await session.cancel({ reason: 'That is all.' });
  await session.result();
  return { 'our session: pictures, an error': serializeAgentState(await session.agentState('guide')) };
}
