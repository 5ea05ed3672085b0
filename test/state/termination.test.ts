import { describe, expect, test } from 'vitest';
import type { Content, Message } from '../../src/contract/message.js';
import type { Condition, Fired } from '../../src/contract/termination.js';
import { noUsage, type Entry, type Usage } from '../../src/contract/transcript.js';
import {
  customIn,
  deadlineOf,
  hasExternal,
  observeCustom,
  observeEntry,
  observeExternal,
  observeTime,
  observeTurn,
  openTermination,
  problemsOfTermination,
  verdictOf,
  type TerminationState,
} from '../../src/state/termination.js';

const startedAt = Date.parse('2026-11-21T09:00:00.000Z');
const at = '2026-11-21T09:00:01.000Z';

type Step = (state: TerminationState) => TerminationState;

function entry(author: string | undefined, text: string, more: Partial<Entry> = {}, message: Partial<Message> = {}): Entry {
  const contents: Content[] = text === '' ? [] : [{ $type: 'text', text }];
  return { message: { role: 'assistant', ...(author && { authorName: author }), contents, ...message }, turn: 1, ...more };
}

function feed(said: Entry, usage: Usage = noUsage): Step {
  return (state) => observeEntry(state, { entry: said, at, usage });
}

const says = (author: string, text: string, more: Partial<Entry> = {}) => feed(entry(author, text, more));
const task = (text: string, message: Partial<Message> = {}) =>
  feed({ message: { ...entry(undefined, text).message, role: 'user', ...message } });
const calls = (author: string, name: string, callId: string, more: Partial<Entry> = {}, text = '') => {
  const words: Content[] = text === '' ? [] : [{ $type: 'text', text }];
  const contents: Content[] = [...words, { $type: 'functionCall', callId, name, arguments: {} }];
  return feed(entry(author, '', { audience: [author], ...more }, { contents }));
};
const answers = (author: string, callId: string, more: Partial<Entry> = {}) =>
  feed(
    entry(author, '', { audience: [author], ...more }, { role: 'tool', contents: [{ $type: 'functionResult', callId, result: 'DONE' }] }),
  );
const fails = (author: string) => feed(entry(author, '', {}, { contents: [{ $type: 'error', message: 'DONE' }] }));
const ended =
  (turns: number, usage: Usage = noUsage): Step =>
  (state) =>
    observeTurn(state, { turns, turn: turns, usage, at });
const outside =
  (reason?: string): Step =>
  (state) =>
    observeExternal(state, { at, reason });
const time =
  (ms: number): Step =>
  (state) =>
    observeTime(state, startedAt + ms);
const custom =
  (path: string, fired: boolean, reason?: string): Step =>
  (state) =>
    observeCustom(state, path, { fired, reason, at });
const used = (inputTokens: number, outputTokens: number): Usage => ({
  inputTokens,
  outputTokens,
  totalTokens: inputTokens + outputTokens,
  modelCalls: 1,
});

/** After every step the state has gone through JSON, and nothing that was given has changed. */
function run(condition: Condition, ...steps: Step[]): TerminationState {
  let state = openTermination(condition, startedAt);
  for (const step of steps) {
    const before = JSON.stringify(state);
    const next = step(freeze(state));
    expect(JSON.stringify(state)).toBe(before);
    expect(JSON.parse(JSON.stringify(next))).toEqual(next);
    expect(problemsOfTermination(next)).toEqual([]);
    state = JSON.parse(JSON.stringify(next)) as TerminationState;
  }
  return state;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}

/** The reasons, or nothing. */
function reasons(condition: Condition, ...steps: Step[]): string[] | undefined {
  return verdictOf(run(condition, ...steps))?.map(({ reason }) => reason);
}

describe('maxMessages', () => {
  const three: Condition = { type: 'maxMessages', max: 3 };

  test('counts everything said, the task and failures too', () => {
    expect(reasons(three, task('tea'), says('writer', 'one'))).toBeUndefined();
    expect(reasons(three, task('tea'), says('writer', 'one'), fails('writer'))).toEqual(['3 messages were said, the most allowed.']);
    expect(reasons({ type: 'maxMessages', max: 1 }, task('tea'))).toEqual(['1 message was said, the most allowed.']);
  });

  test('does not count tool traffic, unless there are words beside a call that everybody hears', () => {
    const private_ = [calls('a', 'f', '1', {}, 'I look it up.'), answers('a', '1'), says('a', 'for b', { audience: ['b'] })];
    const quiet = [calls('a', 'f', '1', { audience: undefined }), answers('a', '1', { audience: undefined })];

    expect(reasons(three, ...private_, ...private_, ...quiet, ...quiet)).toBeUndefined();
    expect(reasons({ type: 'maxMessages', max: 1 }, calls('a', 'transfer_to_b', '1', { audience: undefined }, 'Over to b.'))).toHaveLength(
      1,
    );
  });

  test('says where and when', () => {
    expect(verdictOf(run({ type: 'maxMessages', max: 1 }, says('writer', 'x', { turn: 7 })))).toEqual([
      { path: '', type: 'maxMessages', reason: '1 message was said, the most allowed.', at, turn: 7 },
    ]);
    expect(verdictOf(run({ type: 'maxMessages', max: 1 }, task('x')))?.[0]).not.toHaveProperty('turn');
  });
});

describe('maxTurns', () => {
  test('counts turns that have ended', () => {
    const two: Condition = { type: 'maxTurns', max: 2 };

    expect(reasons(two, says('a', 'x'), says('a', 'y'), ended(1))).toBeUndefined();
    expect(verdictOf(run(two, ended(1), ended(2)))).toEqual([
      { path: '', type: 'maxTurns', reason: '2 turns were taken, the most allowed.', at, turn: 2 },
    ]);
    expect(reasons(two, ended(3))).toEqual(['3 turns were taken, and 2 are the most allowed.']);
  });
});

describe('textMention', () => {
  const done: Condition = { type: 'textMention', text: 'DONE' };

  test('looks for words among others', () => {
    expect(reasons(done, says('critic', 'It is done.'))).toBeUndefined();
    expect(reasons(done, says('critic', 'It is DONE.'))).toEqual(['Text "DONE" was mentioned by critic.']);
    expect(reasons({ ...done, caseSensitive: false }, says('critic', 'It is done.'))).toHaveLength(1);
  });

  test('does not look at what comes from outside, unless told', () => {
    expect(reasons(done, task('Say DONE at the end.'))).toBeUndefined();
    expect(reasons({ ...done, includeTask: true }, task('Say DONE at the end.'))).toEqual(['Text "DONE" was mentioned by user.']);
    expect(reasons({ ...done, sources: ['anna'] }, task('DONE', { authorName: 'anna' }))).toBeUndefined();
    expect(reasons({ ...done, sources: ['anna'], includeTask: true }, task('DONE', { authorName: 'anna' }))).toHaveLength(1);
  });

  test('listens only to its sources', () => {
    const bySource: Condition = { ...done, sources: ['critic', 'editor'] };

    expect(reasons(bySource, says('writer', 'DONE'), feed(entry(undefined, 'DONE')))).toBeUndefined();
    expect(reasons(bySource, says('editor', 'DONE'))).toHaveLength(1);
  });

  test('does not see tool traffic, what is private, nor errors', () => {
    const hidden = [calls('a', 'f', '1', {}, 'DONE'), answers('a', '1'), says('a', 'DONE', { audience: ['a'] }), fails('a')];

    expect(reasons(done, ...hidden)).toBeUndefined();
  });

  test('clips what it shows', () => {
    const text = `${'x'.repeat(98)}🍵🍵`;
    const [reason = ''] = reasons({ type: 'textMention', text }, says('n'.repeat(200), text)) ?? [];

    expect(reason).toBe(`Text "${'x'.repeat(98)}…" was mentioned by ${'n'.repeat(99)}….`);
  });
});

describe('stopMessage', () => {
  const stop: Condition = { type: 'stopMessage' };
  const stopping = (flag: unknown): Partial<Message> => ({ stop: flag }) as Partial<Message>;

  test('takes a flag beside the contents', () => {
    expect(reasons(stop, task('x', stopping('true')), task('x', stopping(false)))).toBeUndefined();
    expect(reasons(stop, task('Enough.', { ...stopping(true), authorName: 'anna' }))).toEqual(['A message by anna asked to stop.']);
    expect(reasons(stop, feed(entry('a', 'x', { audience: ['a'] }, stopping(true))))).toBeUndefined();
  });

  test('takes a completed task, which is the end of private tool traffic', () => {
    expect(reasons(stop, answers('a', '1', { ends: { handoff: 'b' } }))).toBeUndefined();
    expect(reasons(stop, answers('a', '1', { ends: { completed: true } }))).toEqual(['a said that the task is done.']);
  });
});

describe('handoffTo', () => {
  test('sees who gets the conversation', () => {
    const toBilling: Condition = { type: 'handoffTo', target: 'billing' };

    expect(reasons(toBilling, says('a', 'billing'), answers('a', '1', { ends: { handoff: 'sales' } }))).toBeUndefined();
    expect(reasons(toBilling, answers('a', '1', { ends: { handoff: 'billing' } }))).toEqual(['a handed over to billing.']);
  });
});

describe('functionCall', () => {
  const saved: Condition = { type: 'functionCall', name: 'save' };

  test('waits for the result of a call by this name', () => {
    expect(reasons(saved, answers('a', '1'), calls('a', 'load', '2'), answers('a', '2'), calls('a', 'save', '3'))).toBeUndefined();
    expect(reasons(saved, calls('a', 'save', '3'), says('b', 'x'), answers('a', '3'))).toEqual([
      'Function "save" was called by a and has answered.',
    ]);
  });

  test('knows the calls of one turn from those of another', () => {
    const two = [calls('a', 'save', '1', { turn: 1 }), calls('b', 'load', '1', { turn: 2 })];

    expect(reasons(saved, ...two, answers('b', '1', { turn: 2 }))).toBeUndefined();
    expect(reasons(saved, ...two, answers('b', '1', { turn: 2 }), answers('a', '1', { turn: 1 }))).toHaveLength(1);
  });

  test('takes an id that is used again for the newer call', () => {
    expect(reasons(saved, calls('a', 'save', '1'), calls('a', 'load', '1'), answers('a', '1'))).toBeUndefined();
  });

  test('remembers only its own, and at most a hundred', () => {
    const many = Array.from({ length: 150 }, (_, i) => [calls('a', 'save', `s${i}`), calls('a', 'load', `l${i}`)]).flat();
    const state = run(saved, ...many);

    expect(state.root.calls).toHaveLength(100);
    expect(state.root.calls).not.toContainEqual(expect.stringContaining('l'));
    expect(verdictOf(answers('a', 's149')(state))).toHaveLength(1);
  });
});

describe('textMessage and source', () => {
  test('a reply in words is of an agent, and heard by everybody', () => {
    const reply: Condition = { type: 'textMessage' };
    const others = [
      task('x'),
      task('x', { role: 'assistant' }),
      calls('a', 'transfer_to_b', '1', { audience: undefined }, 'Over to b.'),
      answers('a', '1'),
      fails('a'),
      says('a', 'x', { audience: ['b'] }),
    ];

    expect(reasons(reply, ...others)).toBeUndefined();
    expect(reasons(reply, says('a', 'x'))).toEqual(['a replied in words.']);
    expect(reasons({ ...reply, source: 'b' }, says('a', 'x'))).toBeUndefined();
    expect(reasons({ ...reply, source: 'b' }, says('b', 'x'))).toHaveLength(1);
  });

  test('a source is anybody who says something', () => {
    const source: Condition = { type: 'source', sources: ['anna', 'a'] };

    expect(reasons(source, task('x'), says('b', 'x'), calls('a', 'f', '1'), answers('a', '1'))).toBeUndefined();
    expect(reasons(source, task('x', { authorName: 'anna' }))).toEqual(['anna spoke.']);
    expect(reasons(source, fails('a'))).toEqual(['a spoke.']);
  });
});

describe('tokenUsage', () => {
  test('looks at the whole run, with an entry and at the end of a turn', () => {
    const budget: Condition = { type: 'tokenUsage', total: 100, output: 50 };

    expect(reasons(budget, feed(entry('a', 'x'), used(50, 49)), ended(1, used(50, 49)))).toBeUndefined();
    expect(reasons(budget, feed(entry('a', 'x'), used(51, 49)))).toEqual(['Tokens were used up: 100 in total, of 100.']);
    expect(reasons(budget, ended(1, used(60, 55)))).toEqual(['Tokens were used up: 115 in total, of 100; 55 of output, of 50.']);
    expect(reasons({ type: 'tokenUsage', input: 10 }, ended(1, used(10, 0)))).toEqual(['Tokens were used up: 10 of input, of 10.']);
  });

  test('also while an agent is busy with tools', () => {
    const said = entry('a', '', { audience: ['a'] });

    expect(reasons({ type: 'tokenUsage', total: 10 }, feed(said, used(9, 1)))).toHaveLength(1);
  });
});

describe('timeout', () => {
  const late: Condition = { type: 'timeout', after: '90 seconds' };

  test('has a deadline from the start', () => {
    expect(deadlineOf(run(late))).toBe(startedAt + 90_000);
    expect(reasons(late, time(89_999))).toBeUndefined();
    expect(verdictOf(run(late, time(90_000)))).toEqual([
      { path: '', type: 'timeout', reason: 'The run has lasted for 90 seconds, the longest allowed.', at: '2026-11-21T09:01:30.000Z' },
    ]);
    expect(deadlineOf(run(late, time(90_000)))).toBeUndefined();
    expect(reasons({ type: 'timeout', after: 5 }, time(5))).toEqual(['The run has lasted for 5 ms, the longest allowed.']);
  });

  test('the earliest that still matters is next', () => {
    const hour: Condition = { type: 'timeout', after: '1 hour' };
    const tree: Condition = { type: 'and', conditions: [hour, { type: 'or', conditions: [late, { type: 'external' }] }] };

    expect(deadlineOf(run(tree))).toBe(startedAt + 90_000);
    expect(deadlineOf(run(tree, time(100_000)))).toBe(startedAt + 3_600_000);
    expect(deadlineOf(run(tree, outside()))).toBe(startedAt + 3_600_000);
    expect(deadlineOf(run({ type: 'maxTurns', max: 1 }))).toBeUndefined();
  });
});

describe('external', () => {
  test('fires when somebody asks', () => {
    expect(hasExternal(run({ type: 'maxTurns', max: 1 }, outside()))).toBe(false);
    expect(reasons({ type: 'external' }, outside())).toEqual(['Somebody asked from outside to stop.']);
    expect(reasons({ type: 'external' }, outside('It is "late"'))).toEqual(['Somebody asked from outside to stop: "It is \\"late\\"".']);
    expect(reasons({ type: 'external' }, outside('x'.repeat(5000)))?.[0]).toHaveLength(140);
    expect(hasExternal(run({ type: 'or', conditions: [{ type: 'and', conditions: [{ type: 'external' }] }] }, outside()))).toBe(true);
  });
});

describe('custom', () => {
  const good: Condition = { type: 'custom', function: 'isGood' };
  const tree: Condition = { type: 'and', conditions: [{ type: 'or', conditions: [good, { type: 'external' }] }, good] };

  test('fires at its own place, when its function says so', () => {
    expect(reasons(good, custom('', false, 'no'))).toBeUndefined();
    expect(reasons(good, custom('', true))).toEqual(['Function "isGood" said that the team is done.']);
    expect(reasons(good, custom('', true, 'All is well.'))).toEqual(['All is well.']);
    expect(reasons({ type: 'external' }, custom('', true))).toBeUndefined();
    expect(reasons(tree, custom('conditions[0].conditions[0]', true), custom('conditions[7]', true))).toBeUndefined();
  });

  test('those that wait are listed', () => {
    const [first, second] = [
      { path: 'conditions[0].conditions[0]', function: 'isGood' },
      { path: 'conditions[1]', function: 'isGood' },
    ];

    expect(customIn(run(tree))).toEqual([first, second]);
    expect(customIn(run(tree, custom('conditions[0].conditions[0]', true)))).toEqual([second]);
    expect(customIn(run(tree, outside()))).toEqual([second]);
    expect(customIn(run(tree, outside(), custom('conditions[1]', true)))).toEqual([]);
  });
});

describe('trees', () => {
  const two: Condition = { type: 'maxMessages', max: 2 };
  const stop: Condition = { type: 'textMention', text: 'stop' };
  const fired = (state: TerminationState) => verdictOf(state)?.map(({ path, type }) => `${path} ${type}`);

  test('and waits for all, and remembers', () => {
    const both: Condition = { type: 'and', conditions: [two, stop] };

    expect(fired(run(both, says('a', 'x'), says('a', 'y')))).toBeUndefined();
    expect(fired(run(both, says('a', 'stop')))).toBeUndefined();
    expect(fired(run(both, says('a', 'stop'), says('a', 'y')))).toEqual(['conditions[0] maxMessages', 'conditions[1] textMention']);
  });

  test('or takes the first, and all that fire with it', () => {
    const any: Condition = { type: 'or', conditions: [two, stop, { type: 'external' }] };

    expect(fired(run(any, says('a', 'stop')))).toEqual(['conditions[1] textMention']);
    expect(fired(run(any, says('a', 'x'), says('a', 'stop')))).toEqual(['conditions[0] maxMessages', 'conditions[1] textMention']);
  });

  test('what has fired does not fire again, nor for another reason', () => {
    const any: Condition = { type: 'or', conditions: [two, stop, { type: 'external' }] };
    const state = run(any, says('a', 'stop', { turn: 1 }));

    expect(verdictOf(run(any, says('a', 'stop', { turn: 1 }), says('b', 'stop', { turn: 2 }), outside()))).toEqual(verdictOf(state));
  });

  test('a condition that fired in vain does not count', () => {
    const tree: Condition = { type: 'or', conditions: [{ type: 'and', conditions: [stop, { type: 'external' }] }, two] };

    expect(fired(run(tree, says('a', 'stop'), says('a', 'x')))).toEqual(['conditions[1] maxMessages']);
  });

  test('every condition sees every entry', () => {
    const tree: Condition = { type: 'and', conditions: [two, two, { type: 'or', conditions: [two, { type: 'maxMessages', max: 3 }] }] };

    expect(fired(run(tree, says('a', 'x'), says('a', 'y')))).toEqual([
      'conditions[0] maxMessages',
      'conditions[1] maxMessages',
      'conditions[2].conditions[0] maxMessages',
    ]);
  });
});

describe('whatever happens', () => {
  const seeds = Array.from({ length: 300 }, (_, i) => i + 1);

  test('a tree fires when its conditions, each alone, say that it must', () => {
    let over = 0;
    for (const seed of seeds) {
      const random = generator(seed);
      const condition = someTree(random, 4);
      const steps = Array.from({ length: 25 }, (_, i) => someStep(random, i + 1, leavesOf(condition)));
      let straight = openTermination(condition, startedAt);
      let saved = openTermination(condition, startedAt);
      const expected = expectedVerdicts(condition, steps);
      for (const [i, step] of steps.entries()) {
        straight = step(freeze(straight));
        saved = JSON.parse(JSON.stringify(step(saved))) as TerminationState;
        expect(saved, `seed ${seed}, step ${i}`).toEqual(straight);
        expect(verdictOf(saved), `seed ${seed}, step ${i}`).toEqual(expected[i]);
        expect(problemsOfTermination(saved), `seed ${seed}, step ${i}`).toEqual([]);
      }
      if (verdictOf(saved)) over += 1;
    }
    // Neither all nor none, or it would say nothing.
    expect(over).toBeGreaterThan(seeds.length / 4);
    expect(over).toBeLessThan(seeds.length);
  });

  /** mulberry32 */
  function generator(seed: number): (below: number) => number {
    let a = seed * 2654435761;
    return (below) => {
      a = (a + 0x6d2b79f5) | 0;
      let t = Math.imul(a ^ (a >>> 15), 1 | a);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) % below;
    };
  }

  type Random = ReturnType<typeof generator>;

  function someTree(random: Random, levels: number): Condition {
    const names = ['a', 'b', 'c'];
    const name = () => names[random(3)] as string;
    if (levels > 1 && random(2) === 0) {
      const conditions = Array.from({ length: 1 + random(4) }, () => someTree(random, levels - 1));
      return { type: random(3) === 0 ? 'or' : 'and', conditions };
    }
    const leaves: Condition[] = [
      { type: 'maxMessages', max: 1 + random(12) },
      { type: 'maxTurns', max: 1 + random(6) },
      { type: 'textMention', text: name(), includeTask: random(2) === 0, ...(random(2) === 0 && { sources: [name()] }) },
      { type: 'stopMessage' },
      { type: 'handoffTo', target: name() },
      { type: 'functionCall', name: name() },
      { type: 'textMessage', source: name() },
      { type: 'source', sources: [name(), name()] },
      { type: 'tokenUsage', total: 1 + random(300) },
      { type: 'timeout', after: 1 + random(30) },
      { type: 'external' },
      { type: 'custom', function: name() },
    ];
    return leaves[random(leaves.length)] as Condition;
  }

  function someStep(random: Random, i: number, leaves: { path: string }[]): Step {
    const name = () => ['a', 'b', 'c'][random(3)] as string;
    const turn = 1 + random(3);
    const path = leaves[random(leaves.length)]?.path ?? '';
    const steps: Step[] = [
      says(name(), name(), { turn }),
      says(name(), name(), { turn, audience: [name()] }),
      task(name()),
      calls(name(), name(), name(), { turn }),
      answers(name(), name(), { turn }),
      answers(name(), name(), { turn, ends: random(2) === 0 ? { handoff: name() } : { completed: true } }),
      ended(i, used(i * 5, i)),
      time(i),
      custom(path, random(2) === 0),
      random(4) === 0 ? outside(name()) : fails(name()),
    ];
    return steps[random(steps.length)] as Step;
  }

  function leavesOf(condition: Condition, path = ''): { leaf: Condition; path: string }[] {
    if (condition.type !== 'and' && condition.type !== 'or') return [{ leaf: condition, path }];
    return condition.conditions.flatMap((inner, i) => leavesOf(inner, `${path === '' ? '' : `${path}.`}conditions[${i}]`));
  }

  /** Each leaf runs in a tree of its own that keeps its path and has nothing else; then the rules for trees are applied to the moments. */
  function expectedVerdicts(condition: Condition, steps: Step[]): (Fired[] | undefined)[] {
    const moments = new Map<string, { step: number; fired: Fired }>();
    for (const { path } of leavesOf(condition)) {
      let state = openTermination(only(condition, path), startedAt);
      for (const [step, take] of steps.entries()) {
        state = take(state);
        const leaf = firedAt(state.root, path);
        if (leaf && !moments.has(path)) moments.set(path, { step, fired: leaf });
      }
    }
    const when = (node: Condition, path: string): { step: number; fired: Fired[] } => {
      if (node.type !== 'and' && node.type !== 'or') {
        const moment = moments.get(path);
        return moment ? { step: moment.step, fired: [moment.fired] } : { step: Infinity, fired: [] };
      }
      const inner = node.conditions.map((child, i) => when(child, `${path === '' ? '' : `${path}.`}conditions[${i}]`));
      const step = node.type === 'and' ? Math.max(...inner.map((child) => child.step)) : Math.min(...inner.map((child) => child.step));
      return { step, fired: inner.filter((child) => child.step <= step).flatMap((child) => child.fired) };
    };
    const { step: moment, fired } = when(condition, '');
    return steps.map((_, i) => (i >= moment ? fired : undefined));
  }

  /** Everything else in the tree is something that never fires, under `and` alone: the leaf sees all there is. */
  function only(condition: Condition, path: string, at = ''): Condition {
    if (condition.type !== 'and' && condition.type !== 'or') return at === path ? condition : { type: 'handoffTo', target: 'nobody' };
    const never: Condition = { type: 'handoffTo', target: 'nobody' };
    return {
      type: 'and',
      conditions: [...condition.conditions.map((inner, i) => only(inner, path, `${at === '' ? '' : `${at}.`}conditions[${i}]`)), never],
    };
  }

  function firedAt(root: TerminationState['root'], path: string): Fired | undefined {
    const indexes = [...path.matchAll(/\[(\d+)\]/g)].map(([, index]) => Number(index));
    return indexes.reduce((state, i) => state.conditions?.[i] ?? {}, root).fired;
  }
});
