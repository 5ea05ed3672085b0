import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createCallTool } from '../../src/activities/call-tool.js';
import { createTeamCache } from '../../src/activities/team-cache.js';
import type { RecordedAgent } from '../../src/contract/agent.js';
import type { Message } from '../../src/contract/message.js';
import { jsonBytes, sizes } from '../../src/contract/size.js';
import type { CallToolInput } from '../../src/contract/step.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { defineTool, type ToolContext, type ToolOptions } from '../../src/tools/define-tool.js';
import { createToolRegistry } from '../../src/tools/registry.js';
import { activityEnvironment, failureFrom } from '../support/activity.js';
import { memoryStore } from '../support/memory-store.js';
import { temporaryDirectory } from '../support/temporary.js';

const schema = z.object({ city: z.string(), days: z.number().int().optional() });
type Run = ToolOptions<typeof schema>['run'];
type Options = Partial<Pick<ToolOptions<typeof schema>, 'retry' | 'timeout'>>;

/** An agent "guide" with a tool "weather", and one call of it. */
async function world(run: Run, { attempt = 1, store = memoryStore(), ...options }: Options & { attempt?: number; store?: Store } = {}) {
  const tools = createToolRegistry([defineTool({ name: 'weather', description: 'Weather.', input: schema, run, ...options })]);
  const guide: RecordedAgent = {
    name: 'guide',
    instructions: 'You guide.',
    model: 'm',
    maxToolRounds: 1,
    tools: [
      { name: 'weather', description: 'Weather.', parameters: {} },
      { name: 'retired', description: 'No more.', parameters: {} },
    ],
  };
  const team = await store.blobs.put(JSON.stringify({ agents: [guide] }));
  const callTool = createCallTool({ tools, store, teams: createTeamCache(store.blobs) });
  const surroundings = activityEnvironment({
    attempt,
    workflowExecution: { workflowId: 'run-1', runId: 'r' },
    startToCloseTimeoutMs: 60_000,
  });
  const call = (change: Partial<CallToolInput> = {}) =>
    surroundings.run(callTool, {
      firstRunId: 'first',
      step: '3/1/0',
      turn: 3,
      agent: 'guide',
      team,
      call: { callId: 'c1', name: 'weather', arguments: { city: 'Oslo' } },
      idempotencyKey: 'conversation/3/1/0',
      ...change,
    });
  const events = async () => await store.events.read({ workflowId: 'run-1', firstRunId: 'first' }, { epoch: 0, seq: 0 });
  return { ...surroundings, call, store, events };
}

function resultOf(message: Message): unknown {
  const [content] = message.contents;
  return content?.$type === 'functionResult' ? content.result : undefined;
}

describe('a tool', () => {
  test('is given what the model wrote, checked, and what it needs to act only once', async () => {
    let seen: [unknown, Partial<ToolContext>] | undefined;
    const { call } = await world((input, { signal, progress, ...context }) => {
      seen = [input, context];
      expect(signal.aborted).toBe(false);
      expect(progress).toBeTypeOf('function');
    });

    await call({ call: { callId: 'c1', name: 'weather', arguments: { city: 'Oslo', unknown: true } } });

    const context = { idempotencyKey: 'conversation/3/1/0', attempt: 1, runId: 'run-1', agent: 'guide', callId: 'c1' };
    expect(seen).toEqual([{ city: 'Oslo' }, context]);
  });

  test('answers as a tool message of its agent', async () => {
    const { call } = await world(({ city }) => `Rain in ${city}.`);

    const { message, ...rest } = await call();

    expect(message).toEqual({
      role: 'tool',
      authorName: 'guide',
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      contents: [{ $type: 'functionResult', callId: 'c1', result: 'Rain in Oslo.' }],
    });
    expect(rest).toEqual({ ok: true });
  });

  test.each<[string, unknown, unknown]>([
    ['a text as it is', '"quoted"', '"quoted"'],
    ['nothing as an empty text', undefined, ''],
    ['null as null', null, null],
    ['an object as JSON', { degrees: 3, list: [1], gone: undefined }, { degrees: 3, list: [1] }],
    ['a date as text', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a promise once it is kept', Promise.resolve(5), 5],
  ])('may return %s', async (_, returned, result) => {
    const { call } = await world(() => returned);

    const output = await call();

    expect(output.ok).toBe(true);
    expect(resultOf(output.message)).toEqual(result);
  });

  test.each<[string, () => unknown, string]>([
    [
      'a circle',
      () => {
        const circle: unknown[] = [];
        circle.push(circle);
        return circle;
      },
      'Converting circular structure to JSON',
    ],
    ['a BigInt', () => ({ count: 5n }), '"count" is of type bigint'],
    ['a function', () => () => 1, 'it is of type function'],
    ['a map', () => ({ places: new Map() }), '"places" is of type Map'],
    ['a promise in an object', () => ({ later: Promise.resolve(1) }), '"later" is of type Promise'],
    ['an error', () => new Error('no'), 'it is of type Error'],
    ['something nested a hundred thousand deep', () => JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)), 'nested too deep'],
  ])('that returns %s tells the model what is wrong', async (_, run, problem) => {
    const { call, warnings } = await world(run);

    const output = await call();

    expect(output.ok).toBe(false);
    expect(resultOf(output.message)).toContain('The tool "weather" ran, but what it returned cannot be shown');
    expect(resultOf(output.message)).toContain(problem);
    expect(warnings).toHaveLength(1);
  });

  test('that throws tells the model why, and what lies behind it', async () => {
    const { call } = await world(() => {
      throw new Error('fetch failed', { cause: new Error('connect ECONNREFUSED') });
    });

    const output = await call();

    expect(output.ok).toBe(false);
    expect(resultOf(output.message)).toBe('The tool "weather" failed: fetch failed: connect ECONNREFUSED');
  });

  test.each<[string, unknown, string]>([
    ['a text', 'closed', 'failed: closed'],
    ['nothing', undefined, 'failed: it did not say why'],
    ['an object', { code: 5 }, 'failed: {"code":5}'],
    ['an error without words', new TypeError(), 'failed: TypeError'],
  ])('may throw %s', async (_, thrown, text) => {
    const { call } = await world(() => {
      throw thrown;
    });

    expect(resultOf((await call()).message)).toContain(text);
  });
});

describe('a mistake of the model is a result that it can act on', () => {
  const never: Run = () => {
    throw new Error('It was called.');
  };

  test('an unknown tool', async () => {
    const { call } = await world(never);

    const output = await call({ call: { callId: 'c1', name: 'wether', arguments: {} } });

    expect(output.ok).toBe(false);
    expect(resultOf(output.message)).toBe('There is no tool "wether". You may use: weather, retired.');
  });

  test('a tool that this worker has no more', async () => {
    const { call, warnings } = await world(never);

    const output = await call({ call: { callId: 'c1', name: 'retired', arguments: {} } });

    expect(output.ok).toBe(false);
    expect(resultOf(output.message)).toContain('"retired" is not available at the moment');
    expect(warnings[0]).toMatchObject({ meta: { tool: 'retired', agent: 'guide' } });
  });

  test('arguments that are not a JSON object', async () => {
    const { call, events } = await world(never);

    const output = await call({ rawArguments: '{"city": Oslo', call: { callId: 'c1', name: 'weather', arguments: {} } });

    expect(output.ok).toBe(false);
    expect(resultOf(output.message)).toContain('You wrote: {"city": Oslo\nCall it again with one JSON object');
    expect(await events()).toMatchObject([
      { type: 'tool.called', arguments: '{"city": Oslo' },
      { type: 'tool.returned', ok: false },
    ]);
  });

  test('arguments that do not fit the schema: all of them are named', async () => {
    const { call } = await world(never);

    const output = await call({ call: { callId: 'c1', name: 'weather', arguments: { days: 1.5 } } });

    expect(output.ok).toBe(false);
    expect(resultOf(output.message)).toMatch(/so it was not called:\n- city: .+\n- days: .+\nCall it again/);
  });
});

describe('another attempt', () => {
  const failing: Run = () => {
    throw new Error('busy');
  };

  test('is asked for by a tool with retry, until the last one', async () => {
    const first = await failureFrom((await world(failing, { retry: 2 })).call());
    const last = await (await world(failing, { retry: 2, attempt: 2 })).call();

    expect(first).toMatchObject({
      type: 'Tool.Unavailable',
      nonRetryable: false,
      message: 'The tool "weather" failed (attempt 1 of 2): busy',
    });
    expect(last).toMatchObject({ ok: false, attempt: 2 });
    expect(resultOf(last.message)).toBe('The tool "weather" failed: busy');
  });

  test('is not asked for by a tool that is started at most once', async () => {
    expect(await (await world(failing, { retry: 'none' })).call()).toMatchObject({ ok: false });
  });

  test('is not asked for when the tool says that it would not help', async () => {
    const { call } = await world(
      () => {
        throw ApplicationFailure.nonRetryable('no such order');
      },
      { retry: 5 },
    );

    expect(resultOf((await call()).message)).toBe('The tool "weather" failed: no such order');
  });

  test('has the same idempotency key, and watchers are told', async () => {
    const { call, events } = await world((_, { attempt, idempotencyKey }) => `${attempt} ${idempotencyKey}`, { attempt: 3 });

    expect(resultOf((await call()).message)).toBe('3 conversation/3/1/0');
    expect((await events()).map(({ type, attempt }) => [type, attempt])).toEqual([
      ['step.restarted', 3],
      ['tool.called', 3],
      ['tool.returned', 3],
    ]);
  });
});

describe('a large result', () => {
  test('is stored, so that it is never sent again', async () => {
    const { call, store } = await world(() => 'x'.repeat(2000));

    const { message, blob, cut } = await call();

    expect(cut).toBeUndefined();
    expect(JSON.parse((await store.blobs.get(blob ?? '')) ?? '')).toEqual(message);
  });

  test('over 64 KiB is cut for the model, with a note, and stored whole', async () => {
    const text = 'é'.repeat(100_000);
    const { call, store } = await world(() => text);

    const { message, blob, cut } = await call();

    const shown = resultOf(JSON.parse((await store.blobs.get(blob ?? '')) ?? '') as Message) as string;
    const [, id] = /\n… cut: 65536 of 100000 characters; the whole is stored as (\w+)$/.exec(shown) ?? [];
    expect(shown.startsWith(text.slice(0, 65_536))).toBe(true);
    expect(await store.blobs.get(id ?? '')).toBe(text);
    expect(cut).toBe(true);
    expect(jsonBytes(message)).toBeLessThan(2 * sizes.preview + 500);
    expect(resultOf(message)).toMatch(/^é{2048}… \[cut: 2048 of \d+ characters\]$/);
  });

  test('that is not text is cut as JSON', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => ({ i }));
    const { call, store } = await world(() => rows);

    const { blob } = await call();

    const shown = resultOf(JSON.parse((await store.blobs.get(blob ?? '')) ?? '') as Message) as string;
    const [, id] = /stored as (\w+)$/.exec(shown) ?? [];
    expect(shown.startsWith('[{"i":0},{"i":1}')).toBe(true);
    expect(JSON.parse((await store.blobs.get(id ?? '')) ?? '')).toEqual(rows);
  });

  test('is never cut within a character', async () => {
    const { call, store } = await world(() => `a${'😀'.repeat(50_000)}`);

    const { blob } = await call();

    const shown = resultOf(JSON.parse((await store.blobs.get(blob ?? '')) ?? '') as Message) as string;
    expect(() => encodeURIComponent(shown)).not.toThrow();
    expect(shown).toContain('cut: 65535 of 100001 characters');
  });

  test('that even the store does not take is cut all the same', async () => {
    await using directory = await temporaryDirectory();
    const store = await openStore({ dataDir: directory.path, environment: { namespace: 'default', taskQueue: 'q' } });
    const { call } = await world(() => 'x'.repeat(65 * 1024 * 1024), { store });

    const { message, blob } = await call();
    const shown = resultOf(JSON.parse((await store.blobs.get(blob ?? '')) ?? '') as Message);
    await store.close();

    expect(shown).toMatch(/the whole is too large to be stored$/);
    expect(jsonBytes(message)).toBeLessThan(sizes.entry);
  });
});

describe('arguments by reference', () => {
  const reply: Message = {
    role: 'assistant',
    contents: [
      { $type: 'text', text: 'Let me see.' },
      { $type: 'functionCall', callId: 'c0', name: 'weather', arguments: { city: 'Rome' } },
      { $type: 'functionCall', callId: 'c1', name: 'weather', arguments: { city: 'Oslo' } },
    ],
  };

  test('are read from the reply that holds them, by the position of the call', async () => {
    const { call, store } = await world(({ city }) => city);
    const blob = await store.blobs.put(JSON.stringify(reply));

    expect(resultOf((await call({ call: { callId: 'c1', name: 'weather', from: { blob, index: 1 } } })).message)).toBe('Oslo');
  });

  test('that the store has lost are waited for', async () => {
    const { call } = await world(({ city }) => city);

    const failure = await failureFrom(call({ call: { callId: 'c1', name: 'weather', from: { blob: 'gone', index: 1 } } }));

    expect(failure).toMatchObject({ type: 'Store.Unavailable', nonRetryable: false });
  });

  test.each([
    ['another call', JSON.stringify(reply), 0],
    ['no call', JSON.stringify(reply), 2],
    ['no message', '{"agents":[]}', 1],
    ['half a message', '{"role":', 1],
  ])('where there is %s are unreadable, for good', async (_, text, index) => {
    const { call, store } = await world(({ city }) => city);
    const blob = await store.blobs.put(text);

    const failure = await failureFrom(call({ call: { callId: 'c1', name: 'weather', from: { blob, index } } }));

    expect(failure).toMatchObject({ type: 'State.Unreadable', nonRetryable: true });
  });
});

describe('watchers', () => {
  test('see the call, its progress and its result, once, after what the run had to tell', async () => {
    await using directory = await temporaryDirectory();
    const store = await openStore({ dataDir: directory.path, environment: { namespace: 'default', taskQueue: 'q' } });
    const { call, events } = await world(
      (_, { progress }) => {
        progress({ percent: 50 });
        return 'done';
      },
      { store },
    );
    const sent = [{ type: 'turn.started' as const, key: 'run/1', at: '2026-01-31T09:30:00.000Z', turnId: 't' }];

    await call({ events: sent });
    await call({ events: sent });

    const seen = await events();
    await store.close();
    const tags = { turn: 3, step: '3/1/0', attempt: 1, agent: 'guide', tool: 'weather', callId: 'c1' };
    expect(seen).toMatchObject([
      { type: 'turn.started', turnId: 't' },
      { type: 'tool.called', ...tags, arguments: { city: 'Oslo' } },
      { type: 'tool.progressed', ...tags, progress: { percent: 50 } },
      { type: 'tool.returned', ...tags, ok: true, text: 'done' },
    ]);
  });

  test('are not flooded: the latest progress is what counts', async () => {
    const { call, events } = await world((_, { progress }) => {
      for (let i = 1; i <= 10_000; i++) progress(i);
      return 'done';
    });

    await call();

    const progress = (await events()).flatMap((event) => (event.type === 'tool.progressed' ? [event.progress] : []));
    expect(progress).toEqual([1, 10_000]);
  });

  test('get at most 8 KiB of a text', async () => {
    const { call, events } = await world((_, { progress }) => {
      progress('p'.repeat(50_000));
      return 'r'.repeat(50_000);
    });

    await call({ call: { callId: 'c1', name: 'weather', arguments: { city: 'c'.repeat(50_000) } } });

    for (const event of await events()) expect(jsonBytes(event)).toBeLessThan(9 * 1024);
    expect(await events()).toHaveLength(3);
  });

  test('missing their log do not make a tool fail', async () => {
    const store = memoryStore();
    store.events.append = () => Promise.reject(new Error('disk full'));
    const { call, warnings } = await world(() => 'done', { store });

    expect(resultOf((await call()).message)).toBe('done');
    expect(warnings.length).toBeGreaterThan(0);
  });

  test('are spared progress that is not JSON', async () => {
    const { call, events } = await world((_, { progress }) => {
      progress(5n as never);
      return 'done';
    });

    expect((await call()).ok).toBe(true);
    expect((await events()).map(({ type }) => type)).toEqual(['tool.called', 'tool.returned']);
  });
});

describe('a long call', () => {
  test('heartbeats every second, with its latest progress, and stops when it is done', async () => {
    const beats: unknown[] = [];
    const { call, environment } = await world(async (_, { progress }) => {
      progress('half');
      while (beats.length < 3) await sleep(20);
    });
    environment.on('heartbeat', (details) => beats.push(details));

    const began = performance.now();
    await call();
    const took = performance.now() - began;
    const during = [...beats];
    await sleep(1200);

    expect(during).toEqual(['half', 'half', 'half']);
    // At once, and then twice.
    expect(took).toBeGreaterThan(1900);
    expect(beats).toEqual(during);
  });

  test('is told when it is cancelled, and its cancellation is thrown, not its error', async () => {
    let reason: unknown;
    let begun!: () => void;
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    const { call, environment, events } = await world(
      (_, { signal }) =>
        new Promise((_, reject) => {
          begun();
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(new Error('aborted by us'));
          });
        }),
    );

    const calling = call();
    await beginning;
    environment.cancel();

    await expect(calling).rejects.toBeInstanceOf(CancelledFailure);
    expect(reason).toBeInstanceOf(CancelledFailure);
    expect((await events()).map(({ type }) => type)).toEqual(['tool.called']);
  });

  test('that does not listen is left behind when it is cancelled', async () => {
    let begun!: () => void;
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    const { call, environment } = await world(() => {
      begun();
      return new Promise(() => undefined);
    });

    const calling = call();
    await beginning;
    environment.cancel();

    await expect(calling).rejects.toBeInstanceOf(CancelledFailure);
  });
});
