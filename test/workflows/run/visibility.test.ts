import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultPayloadConverter } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineAgent } from '../../../src/index.js';
import { openWorld } from '../../support/world.js';
import { devServer, timeSkippingServer } from '../../support/servers.js';

const writer = defineAgent({ name: 'writer', instructions: 'Write of secrets.', model: 'writer' });
const editor = defineAgent({ name: 'editor', instructions: 'Shorten.', model: 'editor' });

describe('where the search attributes are registered', () => {
  let environment: TestWorkflowEnvironment;
  beforeAll(async () => {
    environment = await devServer();
  });
  afterAll(async () => {
    await environment?.teardown();
  });

  test('they say which orchestration, whose, and how it stands', async () => {
    await using world = await openWorld({ environment, agents: [writer, editor], script: ['a', 'b'], historyEvents: 5 });
    const run = await world.client.start('sequential', { agents: ['writer', 'editor'], task: 'a secret' });
    await run.result();

    const { searchAttributes, memo } = await environment.client.workflow.getHandle(run.id).describe();

    expect(searchAttributes).toMatchObject({
      OstinatoPattern: ['sequential'],
      OstinatoAgents: ['writer', 'editor'],
      OstinatoStatus: ['completed'],
    });
    expect(memo ?? {}).toEqual({});
  });

  test('each activity says in words what it does, and the run where it stands; neither tells what was said', async () => {
    await using world = await openWorld({ environment, agents: [writer], script: ['the answer'] });
    const run = await world.client.start('sequential', { agents: ['writer'], task: 'a secret' });
    await run.result();
    const handle = environment.client.workflow.getHandle(run.id);

    const { events } = await handle.fetchHistory();
    const summaries = (events ?? [])
      .flatMap(({ userMetadata }) => userMetadata?.summary ?? [])
      .map((summary) => defaultPayloadConverter.fromPayload(summary));
    const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');

    expect(summaries).toEqual(['sequential: writer', 'load the team', 'writer: turn 1, model call 1']);
    expect(JSON.stringify(metadata)).toContain('completed');
    expect(JSON.stringify(metadata)).toContain('1 model call');
    for (const word of ['secret', 'answer']) {
      expect(JSON.stringify([summaries, metadata])).not.toContain(word);
    }
  });
});

describe('where they are not', () => {
  let environment: TestWorkflowEnvironment;
  beforeAll(async () => {
    environment = await timeSkippingServer();
  });
  afterAll(async () => {
    await environment?.teardown();
  });

  test('the memo says it, also after continue-as-new', async () => {
    await using world = await openWorld({ environment, agents: [writer, editor], script: ['a', 'b'], historyEvents: 5 });
    const run = await world.client.start('sequential', { agents: ['writer', 'editor'], task: 'tea' });
    await run.result();

    const { memo } = await environment.client.workflow.getHandle(run.id).describe();

    expect(memo).toMatchObject({ orchestration: 'sequential', agents: ['writer', 'editor'], status: 'completed' });
  });
});
