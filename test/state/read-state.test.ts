import { describe, expect, test } from 'vitest';
import { failureOf } from '../../src/contract/failure.js';
import { migrations, type Migration } from '../../src/state/migrations/index.js';
import { readState } from '../../src/state/read-state.js';
import { runStateShape } from '../../src/state/run-state-shape.js';
import { currentStateVersion, type RunState } from '../../src/state/run-state.js';
import type { Shape } from '../../src/state/shape.js';

const stepTime = { attemptMs: 300_000, attempts: 6, totalMs: 1_800_000, heartbeatMs: 10_000 };
const at = '2026-11-21T09:00:00.000Z';
const message = { role: 'user', contents: [{ $type: 'text' as const, text: 'tea' }] };

/** A state with everything that a state can have: four sealed entries, two in the tail, a turn in flight. */
const full: RunState = {
  stateVersion: 3,
  conversationId: 'c1',
  pattern: 'sequential',
  orchestration: 'article',
  startedAt: at,
  team: {
    id: 't1',
    members: [
      {
        name: 'writer',
        description: 'Writes.',
        maxToolRounds: 16,
        modelQueue: 'ostinato-model-x',
        summaryQueue: 'ostinato-model-y',
        nested: { name: 'panel', pattern: 'concurrent', prepared: 'p1', takes: 'arguments' },
        delegates: { ask_panel: { name: 'panel', pattern: 'concurrent', prepared: 'p1', takes: 'arguments' } },
        controls: { complete_task: { complete: true } },
        questions: { ask_person: { role: 'finance' } },
        review: { maxRevisions: 2 },
      },
    ],
  },
  settings: {
    times: { model: stepTime, tool: stepTime },
    searchAttributes: true,
    waitingFor: true,
    historyEvents: 1000,
    sleepAfterMs: 3_600_000,
    keepFinished: true,
    audit: true,
    notifies: true,
  },
  limits: { turns: 3, tokens: 1000, timeMs: 60_000 },
  options: { style: 'dry' },
  transcript: {
    segments: [
      { id: 's1', from: 0, count: 3, bytes: 300 },
      { id: 's2', from: 3, count: 1, bytes: 100 },
    ],
    tail: [4, 5].map((start) => ({
      message,
      turn: 2,
      audience: ['writer'],
      opens: { id: 'turn-2', agent: 'writer', start, at },
      blob: 'b1',
    })),
    head: { part: 's2', length: 4 },
  },
  progress: { next: 1 },
  turns: [
    {
      id: 'turn-2',
      ordinal: 2,
      agent: 'writer',
      start: 5,
      from: 1,
      at,
      modelCalls: 1,
      round: {
        reply: { message },
        outcomes: [{ ok: true, message }],
        operations: { 0: 'op-2' },
        unknown: { 0: { times: 1, reason: 'lost', arguments: { id: 1 } } },
      },
      operation: 'op-2',
      draft: { text: 'tea', position: 5 },
      revisions: 1,
      superseded: true,
    },
  ],
  lastTurn: 2,
  rounds: 2,
  usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3, modelCalls: 1 },
  inbox: [{ id: 'm2', message }],
  said: [{ id: 'm1', status: 'failed', reply: 3, failure: { type: 'Model.Empty', message: 'Nothing.' } }],
  unanswered: { id: 'm1' },
  output: { text: 'tea', artifact: 'b2' },
  cancel: { mode: 'graceful', reason: 'enough' },
  stop: { status: 'cancelled', code: 'cancelled', message: 'enough' },
  shape: { schema: { type: 'string' }, transform: 'shorten', agent: 'editor' },
  ending: { status: 'stopped', code: 'limit.rounds', message: 'enough' },
  done: { told: ['tea'], concluded: 'tea' },
  termination: {
    version: 1,
    condition: {
      type: 'or',
      conditions: [
        { type: 'maxMessages', max: 9 },
        {
          type: 'and',
          conditions: [
            { type: 'textMention', text: 'tea' },
            { type: 'timeout', after: '1 hour' },
          ],
        },
      ],
    },
    startedAt: Date.parse(at),
    root: {
      conditions: [
        { count: 6 },
        {
          conditions: [
            { fired: { path: 'conditions[1].conditions[0]', type: 'textMention', reason: 'It was mentioned.', at, turn: 1 } },
            {},
          ],
        },
      ],
    },
  },
  judged: 6,
  requests: [
    {
      requestId: 'op-2~question-1',
      kind: 'question',
      prompt: 'Which?',
      schema: { type: 'string' },
      createdAt: at,
      assignee: ['ann'],
      role: 'finance',
      escalatedFrom: ['bob'],
      call: { tool: 'refund', callId: 'c1' },
      expiresAt: at,
      reminders: 1,
      remindAt: at,
      turn: 2,
      stage: { escalations: 1, reminded: 1 },
      status: 'pending',
      operation: 'op-2',
      nestedId: 'question-1',
      told: { opened: true, reminders: 1, to: 'digest', over: true, trying: { id: 'notice_1', since: at, tries: 1, got: ['function'] } },
      trail: [{ at, what: 'reminded' }],
    },
  ],
  audit: {
    last: 'p1',
    count: 50,
    fresh: [{ requestId: 'q1', kind: 'question', prompt: 'Which?', askedAt: at, settledAt: at, status: 'answered', response: 'tea' }],
    size: 300,
  },
  unheard: { tries: 1, nextAt: 1 },
  approved: { writer: ['refund'] },
  operations: [
    {
      id: 'op-2',
      runId: 'run/2-panel',
      member: 'panel',
      usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3, modelCalls: 1 },
      lookAt: 1,
      pause: 1000,
      superseded: true,
      outcome: { failure: { type: 'Run.Failed', message: 'It was terminated.' } },
    },
  ],
  post: [{ to: 'run/2-panel', signal: 'cancel', payload: { mode: 'graceful' } }],
  nested: {
    parent: 'above',
    operationId: 'op-1',
    root: { workflowId: 'above', firstRunId: 'f' },
    inherited: { length: 2, as: 'writer', from: 0, to: 2 },
  },
  outbox: [{ type: 'turn.started', key: 'run/1', at, turnId: 'turn-2' }],
  eventCount: 1,
  steps: { current: '2/1', completed: ['1/1'], count: 1, outputs: { '1/1': { artifactId: 'b1' } }, retries: 0 },
  continuations: 1,
  snapshots: { every: 1, keep: 20 },
  lastSnapshot: { id: 's1', turn: 1 },
  commands: [{ id: 'c1', kind: 'save', status: 'pending' }],
  branch: 1,
  origin: { snapshotId: 's0', workflowId: 'w0', conversationId: 'c0', turn: 1 },
  quietSince: at,
  forgotten: true,
  imports: { writer: 'd1' },
  compactions: { writer: { upTo: 4, blob: 'b3', turn: 1, start: 1, from: 1 } },
  resume: [{ operationId: 'op-1', snapshotId: 's2', pattern: 'handoff' }],
  sleepAfterMs: 60_000,
  sleeper: {
    snapshotId: 's3',
    since: at,
    wakeAt: 1,
    inbox: 1,
    waiting: 1,
    settled: [{ requestId: 'q1', status: 'answered', by: 'ann', answer: 'digest' }],
    hasExternal: true,
    stop: { reason: 'enough' },
    isTold: true,
    failure: { type: 'State.NotFound', message: 'lost' },
  },
};

const read = (state: unknown, chain?: readonly Migration[]) => readState(state, 'sequential', chain);
const copy = () => JSON.parse(JSON.stringify(full)) as { [field: string]: unknown };

function failureFrom(state: unknown, chain?: readonly Migration[]) {
  try {
    read(state, chain);
  } catch (error) {
    return { ...failureOf(error), problems: (failureOf(error).details?.[0] ?? []) as string[] };
  }
  throw new Error('It was read.');
}

type Path = (string | number)[];

/** Every place that the shape speaks of, as far as the full state has it. */
function* placesOf(shape: Shape, value: unknown, path: Path = []): Generator<{ path: Path; shape: Shape; isOptional: boolean }> {
  const inner = typeof shape === 'object' && 'optional' in shape ? shape.optional : shape;
  yield { path, shape: inner, isOptional: inner !== shape };
  const present = typeof inner === 'object' && 'nullable' in inner ? inner.nullable : inner;
  if (typeof present === 'string' || value === undefined) return;
  const fields =
    'fields' in present
      ? Object.entries(present.fields)
      : Object.keys(value as object).map((key): [string, Shape] => [key, itemOf(present)]);
  for (const [key, field] of fields) yield* placesOf(field, (value as never)[key], [...path, Array.isArray(value) ? Number(key) : key]);
}

function itemOf(shape: Shape): Shape {
  if (typeof shape === 'object' && 'list' in shape) return shape.list;
  if (typeof shape === 'object' && 'map' in shape) return shape.map;
  throw new Error('A shape without items.');
}

function textOf(path: Path): string {
  return path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
}

function changed(path: Path, value: unknown): unknown {
  const state = copy();
  let parent = state as { [key: string | number]: unknown };
  for (const key of path.slice(0, -1)) parent = parent[key] as typeof parent;
  const last = path.at(-1) as string;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return state;
}

const kinds: { [kind: string]: unknown } = {
  time: '2026-01-01T00:00:00Z',
  null: null,
  number: 7,
  fraction: 1.5,
  negative: -1,
  string: 'x',
  boolean: true,
  list: [],
  object: {},
};

/** The kinds of values that a place takes. */
function takes(shape: Shape): string[] {
  if (typeof shape === 'string')
    return {
      string: ['string', 'time'],
      time: ['time'],
      count: ['number'],
      boolean: ['boolean'],
      object: ['object'],
      any: Object.keys(kinds),
    }[shape];
  if ('list' in shape) return ['list'];
  if ('nullable' in shape) return ['null', ...takes(shape.nullable)];
  return ['object'];
}

describe('a state', () => {
  const places = [...placesOf(runStateShape, full)].filter(({ path }) => path.length > 0);

  test('is read as it was written', () => {
    expect(read(copy())).toEqual(full);
  });

  test('may hold members that this release does not know', () => {
    expect(read({ ...copy(), mood: 'sunny' })).toMatchObject({ mood: 'sunny' });
  });

  test('has a sample here for every place that its shape speaks of', () => {
    expect(places.length).toBeGreaterThan(100);
    for (const { path } of places) expect([textOf(path), valueAt(path)]).toEqual([textOf(path), expect.anything()]);
  });

  test('without a member that it needs is not read, at any level', () => {
    for (const { path, shape, isOptional } of places.filter(({ path: [...path] }) => typeof path.at(-1) === 'string')) {
      const state = changed(path, undefined);
      const isItem = [
        'outputs',
        'operations',
        'delegates',
        'controls',
        'imports',
        'compactions',
        'questions',
        'unknown',
        'approved',
      ].includes(String(path.at(-2)));
      if (isOptional || isItem || shape === 'any') expect(read(state)).toBeDefined();
      else
        expect(failureFrom(state)).toMatchObject({
          type: 'State.Unreadable',
          problems: [expect.stringContaining(`state${textOf(path)}: expected`)],
        });
    }
  });

  test('with a value of a wrong kind is not read, at any level', () => {
    let tried = 0;
    for (const { path, shape } of places) {
      for (const [kind, value] of Object.entries(kinds)) {
        if (takes(shape).includes(kind)) continue;
        tried += 1;
        const { type, problems } = failureFrom(changed(path, value));
        expect([textOf(path), kind, type]).toEqual([textOf(path), kind, 'State.Unreadable']);
        expect(problems[0]).toContain(`state${textOf(path)}: expected`);
      }
    }
    expect(tried).toBeGreaterThan(600);
  });

  test('says everything that is wrong with it at once, up to twenty problems', () => {
    const { message: said, problems } = failureFrom({ ...copy(), rounds: 'two', lastTurn: null, team: { id: 7, members: {} } });

    expect(problems).toEqual([
      'state.team.id: expected a string, found a number',
      'state.team.members: expected a list, found an object',
      'state.lastTurn: expected a whole number from 0, found null',
      'state.rounds: expected a whole number from 0, found a string',
    ]);
    for (const problem of problems) expect(said).toContain(problem);
    expect(failureFrom({ ...copy(), outbox: Array.from({ length: 1000 }, () => 0) }).problems).toHaveLength(20);
  });

  test.each([undefined, null, 7, 'state', [], true])('is not %j', (value) => {
    expect(failureFrom(value)).toMatchObject({ type: 'State.Unreadable', problems: ['state: expected an object'] });
  });

  test('of another pattern is not taken for its own', () => {
    expect(failureFrom({ ...copy(), pattern: 'session' })).toMatchObject({
      type: 'State.Unreadable',
      message: expect.stringContaining('"session" run') as string,
    });
  });

  function valueAt(path: Path): unknown {
    return path.reduce<unknown>((value, key) => (value as { [key: string | number]: unknown })[key], full) ?? undefined;
  }
});

describe('positions that do not fit together are not read:', () => {
  const { transcript } = full;
  const [first, second] = transcript.segments as [object, object];

  test.each([
    ['a gap between segments', { transcript: { ...transcript, segments: [first, { ...second, from: 4 }] } }, 'segment s2'],
    ['segments that overlap', { transcript: { ...transcript, segments: [first, { ...second, from: 2 }] } }, 'segment s2'],
    ['a segment of nothing', { transcript: { ...transcript, segments: [{ ...first, count: 0 }, second] } }, 'segment s1'],
    ['a first segment that is not the first', { transcript: { ...transcript, segments: [second] } }, 'segment s2'],
    ['a head in a sealed part', { transcript: { ...transcript, head: { part: 'x', length: 3 } } }, 'state.transcript.head'],
    ['a head beyond the end', { transcript: { ...transcript, head: { part: 'x', length: 7 } } }, 'state.transcript.head'],
    ['no head where something is sealed', { transcript: { ...transcript, head: null } }, 'state.transcript.head'],
    ['a turn of a stranger', { turns: [{ ...full.turns[0], agent: 'nobody' }] }, 'state.turns[0].agent: "nobody"'],
    ['a turn after the last one', { turns: [{ ...full.turns[0], ordinal: 3 }] }, 'state.turns[0].ordinal'],
    ['a turn that begins beyond the end', { turns: [{ ...full.turns[0], start: 7 }] }, 'state.turns[0].start'],
    ['a reply beyond the end', { said: [{ id: 'm1', status: 'completed', reply: 6 }] }, 'state.said[0].reply'],
    ['a compaction beyond the end', { compactions: { writer: { upTo: 7, blob: 'b3', turn: 1, start: 1 } } }, 'compactions.writer.upTo'],
  ])('%s', (_, change, problem) => {
    const { type, problems } = failureFrom({ ...copy(), ...change });

    expect(type).toBe('State.Unreadable');
    expect(problems[0]).toContain(problem);
  });

  test('and all of them are said', () => {
    const turns = [{ ...full.turns[0], agent: 'nobody', ordinal: 9, start: 99 }];

    expect(failureFrom({ ...copy(), turns }).problems).toHaveLength(3);
  });
});

describe('conditions that do not fit what they remember are not read:', () => {
  const { termination } = full;
  const [counted, both] = termination?.root.conditions ?? [];
  const root = (conditions: unknown[]) => ({ termination: { ...termination, root: { conditions } } });

  test.each([
    ['one of another version', { termination: { ...termination, version: 2 } }, 'state.termination.version: expected 1'],
    ['one that nobody knows', { termination: { ...termination, condition: { type: 'never' } } }, 'state.termination.condition.type'],
    ['one without a memory', root([counted]), 'state.termination.root.conditions: expected 2, found 1'],
    ['a memory of something else', root([{ calls: ['1/c'] }, both]), 'state.termination.root.conditions[0]: "calls"'],
    ['more than it waits for', root([{ count: 9 }, both]), 'state.termination.root.conditions[0].count'],
    ['a count of words', root([{ count: 'six' }, both]), 'state.termination.root.conditions[0].count: expected a whole number'],
  ])('%s', (_, change, problem) => {
    const { type, problems } = failureFrom({ ...copy(), ...change });

    expect(type).toBe('State.Unreadable');
    expect(problems[0]).toContain(problem);
  });
});

describe('a state of another version', () => {
  /** As two later releases might have needed it. */
  const chain: Migration[] = [
    { from: 1, up: ({ agents, ...state }) => ({ ...state, stateVersion: 2, team: { id: 't1', members: agents } }) },
    { from: 2, up: (state) => ({ ...state, stateVersion: 3, rounds: (state.turnsTaken as number[]).length }) },
  ];
  const { team, rounds: _, ...others } = full;
  const old = {
    ...others,
    agents: team.members.map(({ name, maxToolRounds }) => ({ name, maxToolRounds })),
    turnsTaken: [1, 2],
    stateVersion: 1,
  };

  test('is brought up to this one, step by step', () => {
    expect(read(old, chain)).toMatchObject({ stateVersion: 3, rounds: 2, team: { members: [{ name: 'writer' }] } });
  });

  test('goes in where its version is, and is not changed itself', () => {
    const second = { ...others, team, turnsTaken: [1], stateVersion: 2 };
    const before = structuredClone(second);

    expect(read(second, chain)).toMatchObject({ stateVersion: 3, rounds: 1 });
    expect(second).toEqual(before);
  });

  test('is checked after it was brought up', () => {
    expect(failureFrom({ ...old, agents: 'writer' }, chain).problems).toEqual(['state.team.members: expected a list, found a string']);
  });

  test('that a step trips over is damaged', () => {
    expect(failureFrom({ ...old, turnsTaken: null }, chain)).toMatchObject({
      type: 'State.Unreadable',
      problems: [expect.stringContaining('version 2 cannot be brought up to 3')],
    });
  });

  test('newer than this release is left to a newer worker', () => {
    expect(failureFrom({ stateVersion: 4 }, chain)).toMatchObject({
      type: 'State.Newer',
      message: expect.stringContaining('version 4') as string,
    });
    expect(failureFrom({ ...copy(), stateVersion: currentStateVersion + 1 })).toMatchObject({ type: 'State.Newer' });
  });

  test.each([0, -1, 1.5, '1', null, undefined, Number.MAX_VALUE * 2])('%j is no version', (stateVersion) => {
    expect(failureFrom({ ...copy(), stateVersion })).toMatchObject({
      type: 'State.Unreadable',
      problems: [expect.stringContaining('state.stateVersion')],
    });
  });

  test('that no step leaves is not guessed at', () => {
    expect(failureFrom({ ...old }, [chain[1]!]).problems).toEqual(['state.stateVersion: no way from 1 to 3']);
  });

  test('has a step of ours: the chain has no gaps and ends at the version of today', () => {
    expect(migrations.map(({ from }) => from)).toEqual(Array.from({ length: currentStateVersion - 1 }, (__, i) => i + 1));
  });
});
