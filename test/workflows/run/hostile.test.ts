import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { defineAgent, defineTool } from '../../../src/index.js';
import { openWorld } from '../../../src/testing/index.js';
import { devServer } from '../../support/servers.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await devServer();
});
afterAll(async () => {
  await environment?.teardown();
});

/** JSON that is written without recursion, but cannot be written again with it. */
const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const payloadsOf = (text: string) => ({
  payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(text) }],
});
const guide = defineAgent({ name: 'guide', instructions: 'Help.', model: 'guide' });

test.each([10_000, 100_000])('a signal nested %d levels deep harms nobody', async (levels) => {
  await using world = await openWorld({ environment, agents: [guide], script: ['one', 'two'] });
  const session = world.client.session('guide', world.taskQueue);
  await session.say('before');
  const { workflowService, options } = environment.client;

  for (const text of [deep(levels), `{"message":${deep(levels)}}`, `{"message":{"role":"user","contents":[${deep(levels)}]}}`]) {
    await workflowService.signalWorkflowExecution({
      namespace: options.namespace,
      workflowExecution: { workflowId: session.id },
      signalName: 'say',
      input: payloadsOf(text),
    });
  }

  expect((await session.say('after')).reply).toBe('two');
  expect(await session.transcript()).toHaveLength(4);
  await session.cancel();
});

test.each([
  ['task', (text: string) => `{"agents":["guide"],"task":${text}}`],
  ['unknown member', (text: string) => `{"agents":["guide"],"task":"x","more":${text}}`],
  ['schema of an inline agent', (text: string) => `{"agents":[{"name":"a","instructions":"x","outputSchema":{"x":${text}}}],"task":"x"}`],
  ['state', (text: string) => `{"state":{"stateVersion":1,"progress":{"x":${text}}}}`],
])('a run with a %s nested 100,000 levels deep fails at once', async (_, document) => {
  await using world = await openWorld({ environment, agents: [guide] });
  const { workflowService, options } = environment.client;
  const workflowId = `deep-${world.taskQueue}`;

  await workflowService.startWorkflowExecution({
    namespace: options.namespace,
    workflowId,
    workflowType: { name: 'sequential' },
    taskQueue: { name: world.taskQueue },
    requestId: workflowId,
    input: payloadsOf(document(deep(100_000))),
  });

  await expect(world.client.attach(workflowId).result({ timeout: '15 seconds' })).rejects.toMatchObject({
    type: expect.stringMatching(/^(Input\.Invalid|State\.Unreadable)$/),
  });
});

test('a model that nests its arguments too deep, and a tool that nests its result, are told so', async () => {
  const nest = defineTool({
    name: 'nest',
    description: 'Nests.',
    input: z.looseObject({}),
    run: () => JSON.parse(deep(50_000)) as unknown,
  });
  const nester = defineAgent({ name: 'nester', instructions: 'Nest.', model: 'nester', tools: [nest] });
  await using world = await openWorld({
    environment,
    agents: [nester],
    script: [{ calls: [{ name: 'nest', arguments: `{"x":${deep(50_000)}}` }] }, { calls: [{ name: 'nest', arguments: {} }] }, 'enough'],
  });

  const run = await world.client.start('sequential', { agents: ['nester'], task: 'nest' });

  expect((await run.result({ timeout: '20 seconds' })).output).toBe('enough');
});

test('a reply with hundreds of calls is not a reply', async () => {
  await using world = await openWorld({
    environment,
    agents: [guide],
    config: { times: { model: { attempts: 1 } } },
    script: [{ calls: Array.from({ length: 300 }, (_, i) => ({ name: `tool${i}`, arguments: {} })) }],
  });

  const run = await world.client.start('sequential', { agents: ['guide'], task: 'x' });

  await expect(run.result({ timeout: '20 seconds' })).rejects.toMatchObject({
    type: 'Model.Unavailable',
    message: expect.stringContaining('128 calls'),
  });
});
