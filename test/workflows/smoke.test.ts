import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineAgent, defineFunction, defineOrchestration } from '../../src/index.js';
import { openWorld } from '../../src/testing/index.js';
import { timeSkippingServer } from '../support/servers.js';
import { z } from 'zod';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});
const agent = (name: string, more: object = {}) => defineAgent({ name, instructions: `You are ${name}.`, model: name, ...more });
const a = agent('a'),
  b = agent('b'),
  c = agent('c');

describe('smoke', () => {
  test('concurrent', async () => {
    await using world = await openWorld({ environment, agents: [a, b, c], script: { a: ['one'], b: ['two'], c: ['three'] } });
    const run = await world.client.start('concurrent', { agents: ['a', 'b', 'c'], task: 'go' });
    expect(await run.result()).toMatchObject({
      status: 'completed',
      output: [
        { member: 'a', output: 'one' },
        { member: 'b', output: 'two' },
        { member: 'c', output: 'three' },
      ],
    });
  });
  test('routing', async () => {
    await using world = await openWorld({ environment, agents: [a, b, c], script: { c: ['{"label":"spam","reason":"x"}'], b: ['two'] } });
    const run = await world.client.start('routing', {
      agents: ['a', 'b'],
      options: { classifier: { agent: 'c' }, routes: { ham: 'a', spam: 'b' } },
      task: 'go',
    });
    expect(await run.result()).toMatchObject({ status: 'completed', output: 'two' });
  });
  test('handoff', async () => {
    await using world = await openWorld({
      environment,
      agents: [a, b],
      script: {
        a: [{ text: 'over to b', calls: [{ name: 'transfer_to_b', arguments: { reason: 'r' } }] }],
        b: [{ calls: [{ name: 'complete_task', arguments: { summary: 'sum' } }] }],
      },
    });
    const run = await world.client.start('handoff', { agents: ['a', 'b'], task: 'go' });
    expect(await run.result()).toMatchObject({ status: 'completed', output: 'over to b', rounds: 2 });
    expect(JSON.stringify(world.model.calls[1]?.messages)).toContain('[a]\\nover to b');
  });
  test('group chat', async () => {
    await using world = await openWorld({
      environment,
      agents: [a, b, c],
      script: {
        a: ['hi', 'ho'],
        b: ['hey'],
        c: ['{"done":false,"speaker":"a"}', '{"done":false,"speaker":"b"}', '{"done":false,"speaker":"a"}', '{"done":true}'],
      },
    });
    const run = await world.client.start('groupChat', { agents: ['a', 'b'], options: { manager: { agent: 'c' } }, task: 'go' });
    expect(await run.result()).toMatchObject({ status: 'completed', output: 'ho', rounds: 3 });
  });
  test('round robin with condition', async () => {
    await using world = await openWorld({ environment, agents: [a, b], script: { a: ['hi'], b: ['APPROVED'] } });
    const run = await world.client.start('groupChat', {
      agents: ['a', 'b'],
      termination: { type: 'textMention', text: 'APPROVED' },
      task: 'go',
    });
    expect(await run.result()).toMatchObject({ status: 'completed', output: 'APPROVED', stopReason: { code: 'condition' }, rounds: 2 });
  });
  test('magentic', async () => {
    const ledger = (done: boolean, next: string) =>
      JSON.stringify({
        is_request_satisfied: { reason: 'r', answer: done },
        is_in_loop: { reason: 'r', answer: false },
        is_progress_being_made: { reason: 'r', answer: true },
        next_speaker: { reason: 'r', answer: next },
        instruction_or_question: { reason: 'r', answer: 'do it' },
      });
    await using world = await openWorld({
      environment,
      agents: [a, b, c],
      script: {
        a: ['did a'],
        b: ['did b'],
        c: ['{"text":"facts"}', 'plain plan', ledger(false, 'a'), ledger(false, 'b'), ledger(true, 'a'), 'the answer'],
      },
    });
    const run = await world.client.start('magentic', { agents: ['a', 'b'], options: { manager: { agent: 'c' } }, task: 'go' });
    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer', rounds: 3 });
  });
  test('nested', async () => {
    await using world = await openWorld({ environment, agents: [a, b, c], script: { a: ['one'], b: ['two'], c: ['three'] } });
    const run = await world.client.start('sequential', {
      agents: ['a', { name: 'panel', pattern: 'sequential', agents: ['b'] }, 'c'],
      task: 'go',
    });
    expect(await run.result()).toMatchObject({ status: 'completed', output: 'three', rounds: 3, usage: { modelCalls: 3 } });
    expect(JSON.stringify(world.model.calls[1]?.messages)).toContain('[a]\\none');
    expect(JSON.stringify(world.model.calls[2]?.messages)).toContain('[panel]\\ntwo');
    const events = [];
    for await (const e of run.watch()) events.push(e);
    expect(events.filter((e) => e.nested).length).toBeGreaterThan(3);
  });
  test('nested with continue-as-new', async () => {
    await using world = await openWorld({
      environment,
      historyEvents: 5,
      agents: [a, b, c],
      script: { a: ['one'], b: ['two'], c: ['three'] },
    });
    const run = await world.client.start('sequential', {
      agents: ['a', { name: 'panel', pattern: 'concurrent', agents: ['b'] }, 'c'],
      task: 'go',
    });
    expect(await run.result()).toMatchObject({ status: 'completed', output: 'three', rounds: 3, usage: { modelCalls: 3 } });
  });
  test('agent as tool', async () => {
    const boss = agent('boss', { tools: [{ agent: b }] });
    await using world = await openWorld({
      environment,
      agents: [boss],
      script: { boss: [{ calls: [{ name: 'ask_b', arguments: { message: 'what?' } }] }, 'done'], b: ['two'] },
    });
    const run = await world.client.start('sequential', { agents: ['boss'], task: 'go' });
    expect(await run.result()).toMatchObject({ status: 'completed', output: 'done' });
    expect(JSON.stringify(world.model.calls[2]?.messages)).toContain('two');
  });
  test('request in nested handoff answered at the top', async () => {
    await using world = await openWorld({ environment, agents: [a, b], script: { a: ['which?', 'fine'] } });
    const run = await world.client.start('sequential', {
      agents: [{ name: 'desk', pattern: 'handoff', agents: ['a'], options: { person: true } }],
      task: 'go',
    });
    let id;
    for (let i = 0; i < 100 && !id; i++) {
      id = (await run.requests())[0]?.requestId;
      await new Promise((r) => setTimeout(r, 100));
    }
    await run.respond(id!, 'the red one', { by: 'anna' });
    for (let i = 0; i < 100; i++) {
      const r = (await run.requests()).find((x) => x.status === 'pending');
      if (r) {
        await run.respond(r.requestId, { end: true });
        break;
      }
      await new Promise((r) => setTimeout(r, 100));
    }
    expect(await run.result()).toMatchObject({ status: 'completed', output: 'fine' });
    expect(JSON.stringify(world.model.calls[1]?.messages)).toContain('[anna]\\nthe red one');
  });
  test('typed', async () => {
    const longest = defineFunction<{ results: { output: string }[] }>({
      name: 'longest',
      run: ({ results }) => ({ text: results[0]!.output }),
    });
    const o = defineOrchestration({
      name: 'o',
      pattern: 'concurrent',
      agents: [a, b],
      options: { aggregator: { function: longest } },
      input: z.object({ x: z.number() }),
      output: z.object({ text: z.string() }),
    });
    await using world = await openWorld({ environment, orchestrations: [o], script: { a: ['one'], b: ['two'] } });
    const run = await world.client.start(o, { task: { x: 1 } });
    const { output } = await run.result();
    expect(output).toEqual({ text: 'one' });
  });
});
