import { describe, expect, test } from 'vitest';
import { asTold, markAfterRollback, markTold, markTrying, newsIn, newsOf, untold, type News } from '../../src/state/notices.js';
import type { RequestState, RunState } from '../../src/state/run-state.js';

const at = '2026-11-27T09:00:00.000Z';
const asking = (more: Partial<RequestState> = {}): RequestState => ({
  requestId: 'question-1',
  kind: 'question',
  prompt: 'Green?',
  createdAt: at,
  status: 'pending',
  ...more,
});
const stateOf = (requests: RequestState[], more: Partial<RunState> = {}) => ({ conversationId: 'c1', requests, ...more }) as RunState;
const newsOfOne = (asked: RequestState, more?: Partial<RunState>) => newsIn(stateOf([asked], more))[0] as News;

/** Tried, and heard. */
function tell(asked: RequestState): News {
  const news = newsOfOne(asked);
  const told = asTold(asked);
  markTrying(news, at);
  markTold(news, told);
  return news;
}

describe('what there is to tell of a request', () => {
  test('is that it waits, then that somebody is reminded, then that it is for somebody else, then what came of it', () => {
    const asked = asking({ assignee: ['bob'] });
    expect(tell(asked).type).toBe('request.opened');
    expect(newsOf(asked)).toBeUndefined();

    asked.reminders = 1;
    expect(tell(asked).type).toBe('request.reminded');
    expect(newsOf(asked)).toBeUndefined();

    Object.assign(asked, { assignee: ['eve'], escalatedFrom: ['bob'] });
    expect(tell(asked).type).toBe('request.escalated');
    expect(newsOf(asked)).toBeUndefined();

    asked.status = 'answered';
    expect(tell(asked).type).toBe('request.answered');
    expect(newsOf(asked)).toBeUndefined();
  });

  test('is nothing when it was settled before anybody was told', () => {
    for (const status of ['answered', 'expired', 'withdrawn'] as const) expect(newsOf(asking({ status }))).toBeUndefined();
  });

  test('is what came of it when somebody may have been told, whatever came back', () => {
    const asked = asking();
    markTrying(newsOfOne(asked), at);
    asked.status = 'expired';

    expect(newsOf(asked)).toBe('request.expired');
  });

  test('is one thing, however much has happened: the newest', () => {
    const asked = asking({ reminders: 3, escalatedFrom: ['bob'], assignee: ['eve'] });
    tell(asked);

    expect(newsOf(asked)).toBeUndefined();
  });

  test('has an id that is the same on every attempt, and another for every other news, branch and run', () => {
    const asked = asking();
    const ids = [
      newsOfOne(asked).id,
      newsOfOne(asked, { branch: 1 }).id,
      newsOfOne(asked, { conversationId: 'c2' }).id,
      newsOfOne(asking({ requestId: 'question-2' })).id,
      newsOfOne(asking({ createdAt: '2026-11-27T09:00:00.001Z' })).id,
    ];
    expect(new Set(ids).size).toBe(ids.length);
    markTrying(newsOfOne(asked), at);
    markTrying(newsOfOne(asked), '2026-11-27T10:00:00.000Z');
    expect(newsOfOne(asked).id).toBe(ids[0]);
    expect(asked.told).toEqual({ trying: { id: ids[0], since: at, tries: 2 } });
  });

  test('begins with what was tried least', () => {
    const [first, second] = [asking(), asking({ requestId: 'question-2' })];
    markTrying(newsOfOne(first), at);

    expect(newsIn(stateOf([first, second])).map(({ asked }) => asked.requestId)).toEqual(['question-2', 'question-1']);
  });
});

describe('what is told late', () => {
  test('takes nothing back, and loses nothing that is on its way', () => {
    const asked = asking();
    const opened = newsOfOne(asked);
    const told = asTold(asked);
    markTrying(opened, at);
    asked.status = 'answered';
    const answered = newsOfOne(asked);
    markTrying(answered, at);

    markTold(opened, told);
    expect(asked.told).toMatchObject({ opened: true, trying: { id: answered.id, tries: 1 } });
    markTold(answered, asTold(asked));
    markTold(opened, told);
    expect(asked.told).toEqual({ over: true });
  });
});

describe('a request that a run was put back to', () => {
  test('is known to those who still have it before them, and is told anew to others', () => {
    const live = asking({ status: 'withdrawn', told: { opened: true } });
    expect(markAfterRollback(asking(), [live]).told).toEqual({ opened: true });
    expect(markAfterRollback(asking({ told: { opened: true } }), [{ ...live, told: { over: true } }])).not.toHaveProperty('told');
    expect(markAfterRollback(asking({ told: { opened: true } }), [])).not.toHaveProperty('told');
    expect(markAfterRollback(asking(), [{ ...live, createdAt: '2026-11-27T10:00:00.000Z' }])).not.toHaveProperty('told');
  });

  test('is not known to anybody in another run', () => {
    expect(untold(asking({ told: { opened: true } }))).toEqual(asking());
  });
});
