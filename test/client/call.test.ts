import { describe, expect, test } from 'vitest';
import { call } from '../../src/client/call.js';

const context = { temporal: { withDeadline: (_: unknown, request: () => Promise<unknown>) => request() } } as never;

/** As the server says it. */
function refusal(code: number, details: string): Error {
  return Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: {} });
}

const dropped = 'Unable to perform workflow execution update due to unexpected workflow task failure.';

/** Fails so often, then answers with how often it was asked. */
function failing(times: number, error: Error) {
  let asked = 0;
  return async () => {
    asked += 1;
    if (asked <= times) throw error;
    return asked;
  };
}

describe('what the server dropped', () => {
  test.each([
    ['bare', refusal(9, dropped)],
    ['inside of an error of the SDK', new Error('Workflow Update failed', { cause: refusal(9, dropped) })],
  ])('because the run was continuing as new is sent again: %s', async (_, error) => {
    expect(await call(context, failing(2, error))).toBe(3);
  });

  test('again and again is told in the end', async () => {
    await expect(call(context, failing(99, refusal(9, dropped)))).rejects.toThrow(dropped);
  });

  test.each([
    ['Connection.Failed', refusal(14, 'no connection')],
    ['Connection.Failed', refusal(9, 'no poller seen for task queue recently, worker may be down')],
    ['Run.Busy', refusal(8, 'slower, please')],
  ])('for another reason is told at once: %s', async (type, error) => {
    const request = failing(1, error);
    await expect(call(context, request)).rejects.toMatchObject({ type });
    expect(await request()).toBe(2);
  });
});
