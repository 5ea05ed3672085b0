import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RunHandle } from '../../../src/client/run-handle.js';
import type { JsonObject } from '../../../src/contract/json.js';
import { defineAgent } from '../../../src/index.js';
import { standInReply } from '../../../src/llm/stand-in.js';
import { openWorld, type World } from '../../support/world.js';
import { eventually } from '../../support/eventually.js';
import { devServer } from '../../support/servers.js';

const ferry = readFileSync(new URL('ferry.md', import.meta.url), 'utf8');

const agents = [
  defineAgent({ name: 'researcher', instructions: 'You extract the facts of a text.', description: 'Finds the facts.' }),
  defineAgent({ name: 'writer', instructions: 'You are a writer. Draft a short article.', description: 'Drafts articles.' }),
  defineAgent({
    name: 'reviewer',
    instructions: 'You are a reviewer. Say APPROVED when the draft is good.',
    description: 'Reviews drafts.',
  }),
  defineAgent({ name: 'classifier', instructions: 'You classify.' }),
  defineAgent({ name: 'chair', instructions: 'You lead the conversation.' }),
  defineAgent({ name: 'triage', instructions: 'You are the front desk. Hand over to whoever is right.', description: 'Greets people.' }),
  defineAgent({
    name: 'billing',
    instructions: 'You handle billing. Refunds take five days.',
    description: 'Invoices, payments and refunds.',
  }),
  defineAgent({ name: 'tech', instructions: 'You help with errors and crashes.', description: 'Errors, crashes and logins.' }),
];

let environment: TestWorkflowEnvironment;
let world: World;
beforeAll(async () => {
  environment = await devServer();
  world = await openWorld({ environment, agents, script: (request) => standInReply(request) });
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

async function speakersOf(run: RunHandle): Promise<(string | undefined)[]> {
  const speakers: (string | undefined)[] = [];
  for await (const event of run.watch()) if (event.type === 'turn.started') speakers.push(event.agent);
  return speakers;
}

async function answer(run: RunHandle, response: string | JsonObject): Promise<void> {
  const asked = await eventually(async () => {
    const open = (await run.requests()).find(({ status }) => status === 'pending');
    return open ?? Promise.reject(new Error('Nobody is asked.'));
  });
  await run.respond(asked.requestId, response);
}

describe('without a key, and with nothing but rules', () => {
  test('a task is routed to whom it is for', async () => {
    const routes = {
      billing: { agent: 'billing', description: 'invoices, payments and refunds' },
      technical: { agent: 'tech', description: 'errors, crashes and logins' },
    };
    const options = { classifier: { agent: 'classifier' }, routes };

    const run = await world.client.start('routing', { agents: ['billing', 'tech'], task: 'How long does a refund take?', options });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Refunds take five days.', rounds: 1 });
  });

  test('writer and reviewer talk until the draft is approved, and the draft is the result', async () => {
    const options = { manager: { agent: 'chair' }, result: { agent: 'chair' } };

    const run = await world.client.start('groupChat', { agents: ['writer', 'reviewer'], task: ferry, options });

    expect(await speakersOf(run)).toEqual(['writer', 'reviewer', 'writer', 'reviewer', 'chair']);
    expect(String((await run.result()).output)).toMatch(/^For 140 years[^]*61,000 passengers/);
  });

  test('a customer is handed on, answered, and let go', async () => {
    const options = { person: true };

    const run = await world.client.start('handoff', {
      agents: ['triage', 'billing', 'tech'],
      task: 'I want my payment refunded.',
      options,
    });
    await answer(run, 'And the app crashes.');
    await answer(run, 'Thanks, that is all.');

    expect(await speakersOf(run)).toEqual(['triage', 'billing', 'billing', 'tech', 'tech']);
    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Noted: And the app crashes.' });
  });

  test('a manager plans, changes the plan as it is asked to, and answers', async () => {
    const options = { planReview: true };

    const run = await world.client.start('magentic', { agents: ['researcher', 'writer', 'reviewer'], task: ferry, options });
    await answer(run, { decision: 'revise', feedback: 'Without the reviewer.' });
    await answer(run, 'approve');

    expect(await speakersOf(run)).toEqual(['researcher', 'writer', 'manager']);
    const { status, output } = await run.result();
    expect(status).toBe('completed');
    expect(String(output)).toMatch(/61,000 passengers/);
  });

  test('an agent asks others as its tools', async () => {
    const lead = {
      name: 'lead',
      instructions: 'Ask the researcher and the writer.',
      tools: [{ agent: 'researcher' }, { agent: 'writer' }],
    };

    const run = await world.client.start('sequential', { agents: [lead], task: ferry });

    expect(String((await run.result()).output)).toMatch(/^\*\*researcher:\*\* \*\*Subject:\*\*[^]*\*\*writer:\*\* # The last rope ferry/);
  });
});
