import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineTool, textOf } from '../../../src/index.js';
import { documentOf } from '../../support/agent-state.js';
import { openStage, type Stage } from '../../support/stage.js';
import { timeSkippingServer } from '../../support/servers.js';

const workflowsPath = fileURLToPath(new URL('../../fixtures/chorus-workflows.ts', import.meta.url));
const keys: string[] = [];
const read = defineTool({
  name: 'read',
  description: 'Reads a page.',
  input: z.object({ page: z.string(), bytes: z.number() }),
  run: ({ page, bytes }, { idempotencyKey }) => {
    keys.push(idempotencyKey);
    return page.padEnd(bytes, '.');
  },
});
const reading = (page: string, bytes: number) => ({ calls: [{ name: 'read', arguments: { page, bytes } }] });

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});

/** Everybody's own words and tool results, as its model was told them last. */
function toldTo({ calls }: ReturnType<Stage['actor']>): string[] {
  return calls.at(-1)!.messages.flatMap(({ role, content }) => (role === 'tool' ? content.replaceAll('.', '') : []));
}

describe('agents that speak at the same time', () => {
  test('continue as new together: nothing is repeated, lost or mixed up', async () => {
    await using stage = await openStage({ environment, tools: [read], workflowsPath, historyEvents: 40 });
    const cast = [3, 1, 8, 5].map((rounds, i) => {
      const pages = Array.from({ length: rounds }, (_, round) => `page-${i}-${round}`);
      const script = [...pages.map((page) => reading(page, 3000)), `words of ${i}`];
      return { pages, ...stage.actor(script, { name: `singer${i}`, tools: ['read'] }) };
    });
    keys.length = 0;

    const run = await stage.world.client.start('chorus', { agents: cast.map(({ agent }) => agent), task: 'sing' });
    expect(await run.result()).toMatchObject({ status: 'completed', rounds: 4, usage: { modelCalls: 21 } });

    for (const singer of cast) {
      expect(singer.calls).toHaveLength(singer.pages.length + 1);
      expect(toldTo(singer)).toEqual(singer.pages);
      const { conversationHistory } = (await documentOf(run, singer.agent.name)).data;
      expect(conversationHistory.map(({ $type }) => $type)).toEqual(['request', 'response']);
      expect(conversationHistory[0]?.messages.map(textOf)).toEqual(['sing']);
    }
    expect(keys).toHaveLength(17);
    expect(new Set(keys).size).toBe(17);
    expect((await run.checkpoint()).continuations).toBeGreaterThanOrEqual(2);
    expect((await run.transcript()).filter(({ opens }) => opens)).toHaveLength(4);
  });

  test('seal what was said while others still have to read it', async () => {
    await using stage = await openStage({ environment, tools: [read], workflowsPath });
    let sealed = (): void => undefined;
    const untilSealed = new Promise<void>((resolve) => (sealed = resolve));
    const task = Array.from({ length: 300 }, (_, i) => `${i} `.repeat(50));
    // Its first attempt ends when the other one has filled a segment; what it has to hear is no longer in the run then.
    const patient = stage.actor([() => untilSealed.then(() => ({ status: 503 })), 'heard'], { name: 'patient' });
    const pages = Array.from({ length: 30 }, (_, i) => `page-${i}`);
    const busy = stage.actor([...pages.map((page) => reading(page, 15_000)), () => (sealed(), 'read')], {
      name: 'busy',
      tools: ['read'],
      maxToolRounds: 100,
    });

    const run = await stage.world.client.start('chorus', { agents: [patient.agent, busy.agent], task });
    expect((await run.result()).status).toBe('completed');

    expect((await run.checkpoint()).transcript.segments.length).toBeGreaterThanOrEqual(1);
    expect(patient.calls).toHaveLength(2);
    for (const { messages } of patient.calls) {
      expect(messages.filter(({ role }) => role === 'user').map(({ content }) => content)).toEqual(task);
    }
    expect(toldTo(busy)).toEqual(pages);
  });
});
