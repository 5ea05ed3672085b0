import { describe, expect, test } from 'vitest';
import { readRunInput } from '../../src/contract/input-schema.js';
import { reminderAfter, stageOf } from '../../src/contract/patience.js';

const problemsOf = (person: unknown) =>
  readRunInput('handoff', { task: 'tea', agents: ['clerk'], options: { person } } as never).problems.map(
    ({ path, message }) => `${path} ${message}`,
  );
const passedOn = (times: number): object =>
  times === 0 ? { role: 'boss' } : { timeout: '1 day', onTimeout: { escalate: passedOn(times - 1) } };

describe('how long a person is waited for', () => {
  test.each([
    [{ timeout: '3 days', remind: '1 day', assignee: 'ann', role: 'finance' }],
    [{ timeout: '3 days', remind: ['1 day', '2 days'], assignee: ['ann', 'bob'] }],
    [{ timeout: '3 days', onTimeout: 'continue' }],
    [{ timeout: '3 days', onTimeout: { answer: 'Black' } }],
    [{ timeout: '3 days', onTimeout: { escalate: { assignee: 'bob', timeout: '1 day', onTimeout: { answer: { end: true } } } } }],
    [passedOn(5)],
  ])('may be said as %j', (person) => {
    expect(problemsOf(person)).toEqual([]);
  });

  test.each([
    [{ assignee: '' }, 'options.person.assignee must be a name of 1 to 200 characters'],
    [{ assignee: [] }, 'options.person.assignee must be a name, or a list of names'],
    [{ remind: '1 ms' }, 'options.person.remind must be a span of time of a second or more'],
    [{ remind: [] }, 'options.person.remind must be a span of time of a second or more'],
    [{ onTimeout: 'approve' }, 'options.person.onTimeout must be one of end, fail, continue'],
    [{ onTimeout: { answer: 7 } }, 'options.person.onTimeout.answer must be an answer to the request'],
    [{ onTimeout: { escalate: 'bob' } }, 'options.person.onTimeout.escalate must be an object'],
    [
      { onTimeout: { escalate: { asignee: 'bob' } } },
      'options.person.onTimeout.escalate.asignee is not known here; did you mean "assignee"?',
    ],
    [passedOn(6), 'a request is passed on at most 5 times'],
  ])('%j is refused in words', (person, words) => {
    expect(problemsOf(person).join('\n')).toContain(words);
  });

  test('reminders come every so long, or after each, and come to an end', () => {
    expect([0, 1, 2].map((n) => reminderAfter({ remind: 1000 }, n))).toEqual([1000, 2000, 3000]);
    expect([0, 1, 2].map((n) => reminderAfter({ remind: ['3 seconds', 1000] }, n))).toEqual([1000, 3000, undefined]);
    expect(reminderAfter({ remind: 1000 }, 100)).toBeUndefined();
    expect(reminderAfter({}, 0)).toBeUndefined();
  });

  test('whoever is asked last is asked for good', () => {
    const patience = { role: 'a', onTimeout: { escalate: { role: 'b' } } };
    expect([0, 1, 2].map((n) => stageOf(patience, n).role)).toEqual(['a', 'b', 'b']);
  });
});
