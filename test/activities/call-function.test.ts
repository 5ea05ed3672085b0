import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { createCallFunction } from '../../src/activities/call-function.js';
import { Transcripts } from '../../src/activities/transcripts.js';
import { toStepMessage } from '../../src/store/step-message.js';
import type { Message } from '../../src/contract/message.js';
import { sizes } from '../../src/contract/size.js';
import type { CallFunctionInput } from '../../src/contract/step.js';
import { defineFunction, type FunctionContext, type FunctionOptions } from '../../src/functions/define-function.js';
import { createFunctionRegistry } from '../../src/functions/registry.js';
import { activityEnvironment, failureFrom } from '../support/activity.js';
import { memoryStore } from '../support/memory-store.js';

const say = (text: string): Message => ({ role: 'user', contents: [{ $type: 'text', text }] });

/** A function "judge", and one call of it. */
function world(run: FunctionOptions<unknown>['run'], { attempt = 1 }: { attempt?: number } = {}) {
  const store = memoryStore();
  const functions = createFunctionRegistry([defineFunction({ name: 'judge', run })]);
  const callFunction = createCallFunction({ store, transcripts: new Transcripts(store.blobs), functions });
  const surroundings = activityEnvironment({ attempt, workflowExecution: { workflowId: 'run-1', runId: 'r' } });
  const call = (change: Partial<CallFunctionInput> = {}) =>
    surroundings.run(callFunction, {
      firstRunId: 'first',
      name: 'judge',
      step: '4/1',
      input: { round: 4 },
      transcript: { head: null, since: [{ entry: { message: say('tea') } }] },
      idempotencyKey: 'conversation/4/1',
      ...change,
    });
  return { ...surroundings, call, store };
}

describe('a registered function', () => {
  test('is given what the pattern says, and what it needs to act only once', async () => {
    let seen: [unknown, Partial<FunctionContext>] | undefined;
    const { call } = world((input, { signal, messages, ...context }) => {
      seen = [input, context];
      expect(signal.aborted).toBe(false);
      expect(messages).toBeTypeOf('function');
      return 'fine';
    });

    expect(await call()).toEqual({ value: 'fine', head: { part: expect.any(String) as string, length: 1 } });

    expect(seen).toEqual([{ round: 4 }, { idempotencyKey: 'conversation/4/1', attempt: 1, runId: 'run-1' }]);
  });

  test('is given what was said from a position on, but nothing that was said to some alone', async () => {
    const { call } = world((input) => (input as { messages: Message[] }).messages);
    const since = [say('tea'), say('for the cook'), say('green'), say('hot')].map((message, i) => ({
      entry: { message, ...(i === 1 && { audience: ['cook'] }) },
    }));

    expect((await call({ since: 0, transcript: { head: null, since } })).value).toEqual([say('tea'), say('green'), say('hot')]);
    expect((await call({ since: 3, transcript: { head: null, since } })).value).toEqual([say('hot')]);
    expect((await call({ since: 4, transcript: { head: null, since } })).value).toEqual([]);
  });

  test('may read everything that was said, long messages whole', async () => {
    const long = say('word '.repeat(30_000));
    const { call, store } = world(async (_, { messages }) => (await messages()).map(({ contents }) => JSON.stringify(contents).length));
    const entry = await toStepMessage(store.blobs, long);
    expect(entry.cut).toBe(true);

    const { value } = await call({ transcript: { head: null, since: [{ entry: { message: say('tea') } }, { entry }] } });

    expect(value).toEqual([say('tea'), long].map(({ contents }) => JSON.stringify(contents).length));
  });

  test.each<[string, unknown, unknown]>([
    ['a text', 'fine', 'fine'],
    ['an empty text', '', ''],
    ['nothing, which is null', undefined, null],
    ['null', null, null],
    ['false', false, false],
    ['zero', 0, 0],
    [
      'an object, without what JSON leaves out',
      { ok: true, gone: undefined, at: new Date(0) },
      { ok: true, at: '1970-01-01T00:00:00.000Z' },
    ],
    ['a promise once it is kept', Promise.resolve([1]), [1]],
  ])('may return %s', async (_, returned, value) => {
    expect((await world(() => returned).call()).value).toEqual(value);
  });

  const circle: { self?: unknown } = {};
  circle.self = circle;
  const deep = () => {
    let value: unknown = 1;
    for (let i = 0; i < 100_000; i++) value = [value];
    return value;
  };
  test.each<[string, () => unknown, RegExp]>([
    ['a BigInt', () => 7n, /cannot be used: it is of type bigint/],
    ['a BigInt inside', () => ({ sum: 7n }), /"sum" is of type bigint/],
    ['a circle', () => circle, /circular/],
    ['a function', () => () => 1, /it is of type function/],
    ['a Map', () => new Map([['a', 1]]), /it is of type Map/],
    ['more nesting than anybody can write out', deep, /too large or nested too deep/],
    [
      'what throws when it is written out',
      () => ({
        toJSON: () => {
          throw new Error('not me');
        },
      }),
      /not me/,
    ],
    ['1.5 MB', () => 'x'.repeat(1_500_000), /larger than 1024 KiB\. Return less/],
    ['1.5 MB of characters that JSON escapes', () => '\u0001'.repeat(250_000), /larger than 1024 KiB/],
  ])('that returns %s fails for good', async (_, returned, message) => {
    const failure = await failureFrom(world(returned).call());

    expect(failure).toMatchObject({ type: 'Function.Failed', nonRetryable: true, message: expect.stringMatching(message) as string });
  });

  test('may return almost a mebibyte', async () => {
    const text = 'x'.repeat(sizes.input - 2);
    expect((await world(() => text).call()).value).toBe(text);
    expect(await failureFrom(world(() => `${text}x`).call())).toMatchObject({ type: 'Function.Failed' });
  });

  test.each<[string, unknown, string]>([
    ['an error', new Error('no ink'), 'no ink'],
    ['an error without words', new TypeError(), 'TypeError'],
    ['an error with a cause', new Error('no print', { cause: new Error('no ink') }), 'no print: no ink'],
    ['an error whose message is none', Object.assign(new Error(), { message: 42 }), '42'],
    ['a text', 'no ink', 'no ink'],
    ['nothing', undefined, 'it did not say why'],
    ['an object', Object.assign(Object.create(null) as object, { code: 7 }), '{"code":7}'],
    ['what cannot be shown', circle, 'Converting circular structure to JSON'],
    ['a failure of its own, that asks for another attempt', ApplicationFailure.retryable('again', 'Mine'), 'again'],
  ])('that throws %s fails for good, with its words', async (_, thrown, message) => {
    const { call, warnings } = world(() => {
      throw thrown;
    });

    expect(await failureFrom(call())).toMatchObject({
      type: 'Function.Failed',
      nonRetryable: true,
      message: `The function "judge" threw: ${message}`,
    });
    expect(warnings[0]).toMatchObject({ message: 'A function failed.', meta: { name: 'judge', attempt: 1 } });
  });

  test('that fails later fails for good as well', async () => {
    const { message } = await failureFrom(world(() => Promise.reject(new Error('no ink'))).call());

    expect(message).toBe('The function "judge" threw: no ink');
  });

  test('that throws a book is quoted in part', async () => {
    const { message } = await failureFrom(
      world(() => {
        throw new Error('x'.repeat(100_000));
      }).call(),
    );

    expect(message.length).toBeLessThan(2100);
  });

  test('says at which attempt it succeeded', async () => {
    const { call } = world((_, { attempt }) => attempt, { attempt: 3 });

    expect(await call()).toMatchObject({ value: 3, attempt: 3 });
  });

  test('that this worker does not have is named', async () => {
    expect(await failureFrom(world(() => 1).call({ name: 'constructor' }))).toMatchObject({
      type: 'Function.Failed',
      message: expect.stringContaining('no function "constructor"') as string,
    });
  });

  test('hears of a cancellation by its signal, and need not listen to be left behind', async () => {
    let heard = false;
    const begun = new EventTarget();
    const listening = world(async (_, { signal }) => {
      begun.dispatchEvent(new Event('call'));
      await sleep(60_000, undefined, { signal }).catch(() => (heard = true));
      throw new Error('interrupted');
    });
    const deaf = world(() => {
      begun.dispatchEvent(new Event('call'));
      return new Promise(() => undefined);
    });

    for (const { call, environment } of [listening, deaf]) {
      const beginning = once(begun, 'call');
      const calling = call().catch((error: unknown) => error);
      await beginning;
      environment.cancel();
      expect(await calling).toBeInstanceOf(CancelledFailure);
    }
    expect(heard).toBe(true);
  });

  test('takes the events along that waited, once', async () => {
    const { call, store } = world(() => 1);
    const event = { type: 'run.continued' as const, key: 'k', at: '2026-01-01T00:00:00Z', continuations: 1 };

    await call({ events: [event] });
    await call({ events: [event] });

    const events = await store.events.read({ workflowId: 'run-1', firstRunId: 'first' }, { epoch: 0, seq: 0 });
    expect(events.map(({ type }) => type)).toEqual(['run.continued']);
  });
});
