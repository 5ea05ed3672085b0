import { afterEach, describe, expect, test, vi } from 'vitest';
import type { NewEvent } from '../../src/contract/event.js';
import { createPublish } from '../../src/activities/publish.js';
import { openStore } from '../../src/store/open-store.js';
import { activityEnvironment } from '../support/activity.js';
import { memoryStore } from '../support/memory-store.js';
import { temporaryDirectory } from '../support/temporary.js';

const event = (key: string): NewEvent => ({ type: 'run.continued', key, at: '2026-01-31T09:30:00.000Z', continuations: 1 });
const input = { firstRunId: 'first', events: [event('run/1'), event('run/2')] };

afterEach(() => {
  vi.useRealTimers();
});

describe('publish', () => {
  test('appends to the log of its run, once, however often it is repeated', async () => {
    await using directory = await temporaryDirectory();
    const store = await openStore({ dataDir: directory.path, environment: { namespace: 'default', taskQueue: 'ostinato' } });
    const { run, warnings } = activityEnvironment({ workflowExecution: { workflowId: 'run-1', runId: 'second' } });
    const publish = createPublish({ store });

    await run(publish, input);
    await run(publish, { firstRunId: 'first', events: [event('run/2'), event('run/3')] });

    const events = await store.events.read({ workflowId: 'run-1', firstRunId: 'first' }, { epoch: 0, seq: 0 });
    await store.close();
    expect(events.map(({ seq, type, runId }) => ({ seq, type, runId }))).toEqual(
      [1, 2, 3].map((seq) => ({ seq, type: 'run.continued', runId: 'run-1' })),
    );
    expect(warnings).toEqual([]);
  });

  test('warns and goes on when the log cannot be written', async () => {
    const store = memoryStore();
    store.events.append = () => Promise.reject(new Error('disk full'));
    const { run, warnings } = activityEnvironment();

    await run(createPublish({ store }), input);

    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ meta: { error: { message: 'disk full' }, types: ['run.continued'] } });
    expect(warnings[0]?.message).toContain('The run is not affected');
  });

  test('does not wait for ever for a log that does not answer', async () => {
    vi.useFakeTimers();
    const store = memoryStore();
    store.events.append = () => new Promise(() => undefined);
    const { run, warnings } = activityEnvironment();

    const published = run(createPublish({ store }), input);
    await vi.advanceTimersByTimeAsync(5000);
    await published;

    expect(warnings[0]).toMatchObject({ meta: { error: { message: 'The event log did not answer within 5 seconds.' } } });
  });

  test('leaves the log alone when there is nothing to say', async () => {
    const store = memoryStore();
    store.events.append = () => Promise.reject(new Error('It was asked.'));
    const { run, warnings } = activityEnvironment();

    await run(createPublish({ store }), { firstRunId: 'first', events: [] });

    expect(warnings).toEqual([]);
  });
});
