import type { LoadTeamInput } from '../../src/contract/step.js';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createLoadTeam } from '../../src/activities/load-team.js';
import { modelQueue, type PrepareDeps } from '../../src/activities/prepare-run.js';
import { createTeamCache } from '../../src/activities/team-cache.js';
import { defineAgent } from '../../src/agents/define-agent.js';
import { defineOrchestration } from '../../src/agents/define-orchestration.js';
import { createAgentRegistry } from '../../src/agents/registry.js';
import type { TeamDocument } from '../../src/contract/agent.js';
import { sizes } from '../../src/contract/size.js';
import type { PreparedRun, RunSettings } from '../../src/contract/step.js';
import type { ModelProvider } from '../../src/llm/provider.js';
import { createFunctionRegistry } from '../../src/functions/registry.js';
import { createProviders } from '../../src/llm/providers.js';
import { openStore } from '../../src/store/open-store.js';
import { defineTool } from '../../src/tools/define-tool.js';
import { createToolRegistry } from '../../src/tools/registry.js';
import { activityEnvironment, failureFrom } from '../support/activity.js';
import { memoryStore } from '../support/memory-store.js';
import { temporaryDirectory } from '../support/temporary.js';

const search = defineTool({ name: 'search', description: 'Searches.', input: z.object({ query: z.string() }), run: () => 'found' });
const analyst = defineAgent({ name: 'analyst', description: 'Analyses.', instructions: 'You analyse.', tools: [search], maxToolRounds: 3 });
const writer = defineAgent({ name: 'writer', instructions: 'You write.', model: 'rationed/large' });
const article = defineOrchestration({
  name: 'article',
  pattern: 'sequential',
  agents: [analyst, writer],
  limits: { turns: 9, time: '1 minute' },
});
const time = { attemptMs: 1, attempts: 1, totalMs: 1, heartbeatMs: 1 };
const settings: RunSettings = { times: { model: time, tool: time }, searchAttributes: false };
const silent: ModelProvider = { complete: () => Promise.reject(new Error('No model is called here.')) };

function world(deps: Partial<PrepareDeps> = {}) {
  const store = memoryStore({ namespace: 'default', taskQueue: 'letters' });
  const tools = createToolRegistry([]);
  const functions = createFunctionRegistry([]);
  const agents = createAgentRegistry([analyst, writer], [article], tools, functions);
  const providers = createProviders({
    default: silent,
    named: { rationed: { provider: silent, maxCallsPerSecond: 2 } },
    defaultModel: 'small',
  });
  const loadTeam = createLoadTeam({ agents, tools, functions, providers, settings, store, ...deps });
  const { run } = activityEnvironment({ workflowExecution: { workflowId: 'run-1', runId: 'r' } });
  const load = async (input: unknown, pattern = 'sequential', more: Partial<LoadTeamInput> = {}) =>
    (await run(loadTeam, { pattern, input: input as never, firstRunId: 'first', ...more })) as Awaited<ReturnType<typeof loadTeam>> &
      PreparedRun;
  const recorded = (id: string) => JSON.parse(store.texts.get(id) ?? 'null') as TeamDocument;
  return { store, load, recorded, loadTeam, run };
}

describe('loadTeam', () => {
  test('records registered and inline agents, with the tools and models that they have now', async () => {
    const { load, recorded } = world();

    const { team } = await load({
      task: 'tea',
      agents: ['analyst', { name: 'guest', instructions: 'You visit.', temperature: 0, tools: ['search'] }],
    });

    const tools = [
      {
        name: 'search',
        description: 'Searches.',
        parameters: { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] },
      },
    ];
    expect(recorded(team.id)).toEqual({
      agents: [
        { name: 'analyst', description: 'Analyses.', instructions: 'You analyse.', model: 'default/small', tools, maxToolRounds: 3 },
        { name: 'guest', instructions: 'You visit.', model: 'default/small', tools, temperature: 0, maxToolRounds: 16 },
      ],
    });
    expect(team.members).toEqual([
      { name: 'analyst', description: 'Analyses.', maxToolRounds: 3 },
      { name: 'guest', description: 'You visit.', maxToolRounds: 16 },
    ]);
  });

  test('hands the rest of the input on, ready to be used', async () => {
    const { load } = world();

    const loaded = await load({
      task: ['tea', { role: 'user', contents: [{ $type: 'text', text: 'green' }] }],
      agents: ['analyst'],
      limits: { time: '90 seconds', tokens: 5 },
    });

    expect(loaded).toMatchObject({
      limits: { timeMs: 90_000, tokens: 5 },
      options: {},
      settings,
    });
    expect(loaded).not.toHaveProperty('orchestration');
  });

  test('lists what the run found wrong with its task among the problems of the document', async () => {
    const taskProblems = [{ path: 'task[1].role', message: 'expected a string' }];

    const loading = world().load({ task: '(kept in the run)', agents: ['analyst'], limits: { turns: 0 } }, 'sequential', { taskProblems });

    await expect(loading).rejects.toMatchObject({
      type: 'Input.Invalid',
      message: expect.stringMatching(/task\[1\]\.role[^]*limits\.turns/),
    });
  });

  test('sends the calls of a rationed provider to a queue of their own', async () => {
    const { team } = await world().load({ task: 'tea', agents: ['writer'] });

    expect(team.members).toEqual([{ name: 'writer', description: 'You write.', maxToolRounds: 16, modelQueue: 'letters-model-rationed' }]);
    expect(modelQueue('letters', 'rationed')).toBe('letters-model-rationed');
  });

  test('takes a slash for a part of the name of a model when no provider is called so', async () => {
    const { load, recorded } = world();

    const { team } = await load({ task: 'tea', agents: [{ name: 'a', instructions: 'x', model: 'meta/llama' }] });

    expect(recorded(team.id).agents[0]?.model).toBe('default/meta/llama');
  });

  test('gives the same definitions the same id, however their members are ordered', async () => {
    const { load } = world();
    const one = { name: 'a', instructions: 'x', description: 'y', temperature: 1 };
    const other = { temperature: 1, description: 'y', instructions: 'x', name: 'a' };

    const ids = await Promise.all(
      [one, other, { ...one, temperature: 0 }].map(async (agent) => (await load({ task: 'tea', agents: [agent] })).team.id),
    );

    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
  });

  test('keeps the order in which a schema lists what a model has to write', async () => {
    const { load, recorded } = world();
    const outputSchema = { type: 'object', properties: { reasons: {}, answer: {} } };

    const { team } = await load({ task: 'tea', agents: [{ name: 'a', instructions: 'x', outputSchema }] });

    expect(Object.keys(recorded(team.id).agents[0]?.outputSchema?.properties ?? {})).toEqual(['reasons', 'answer']);
  });

  test('publishes what the run has to tell before anything else', async () => {
    const { store, run, loadTeam } = world();
    const events = [{ type: 'run.continued' as const, key: 'run/1', at: '2026-01-31T09:30:00.000Z', continuations: 1 }];

    await failureFrom(run(loadTeam, { pattern: 'sequential', input: {}, firstRunId: 'first', events }));

    expect(store.appended).toEqual(events);
  });

  test('stores a team that another worker can read', async () => {
    await using directory = await temporaryDirectory();
    const options = { dataDir: directory.path, environment: { namespace: 'default', taskQueue: 'letters' } };
    const [mine, theirs] = [await openStore(options), await openStore(options)];
    const { load } = world({ store: mine });

    const { team } = await load({ task: 'tea', agents: ['analyst'] });
    const agent = await createTeamCache(theirs.blobs).loadRecordedAgent(team.id, 'analyst');

    await Promise.all([mine.close(), theirs.close()]);
    expect(agent).toMatchObject({ name: 'analyst', instructions: 'You analyse.', tools: [{ name: 'search' }] });
  });
});

describe('an orchestration', () => {
  test('fills what the input leaves open', async () => {
    const loaded = await world().load({ task: 'tea', orchestration: 'article' });

    expect(loaded).toMatchObject({ orchestration: 'article', limits: { turns: 9, timeMs: 60_000 } });
    expect(loaded.team.members.map(({ name }) => name)).toEqual(['analyst', 'writer']);
  });

  test('gives way to what the input says, limit by limit', async () => {
    const loaded = await world().load({ task: 'tea', orchestration: 'article', agents: ['writer'], limits: { turns: 2 } });

    expect(loaded).toMatchObject({ orchestration: 'article', limits: { turns: 2, timeMs: 60_000 } });
    expect(loaded.team.members.map(({ name }) => name)).toEqual(['writer']);
  });

  test('of another pattern is refused', async () => {
    const failure = await failureFrom(world().load({ orchestration: 'article' }, 'session'));

    expect(failure).toMatchObject({
      type: 'Input.Invalid',
      problems: [
        { path: 'orchestration', message: '"article" is an orchestration of the pattern "sequential"; start it as that, not as "session"' },
      ],
    });
  });
});

describe('loadTeam refuses', () => {
  test('a bad input, with every problem, for good', async () => {
    const failure = await failureFrom(world().load({ agents: [], limits: { turns: 0 } }));

    expect(failure).toMatchObject({ type: 'Input.Invalid', nonRetryable: true });
    expect(failure.problems.map(({ path }) => path)).toEqual(['limits.turns', 'task', 'agents']);
  });

  test('everything unknown at once, with the names there are', async () => {
    const agents = ['analist', { name: 'guest', instructions: 'x', tools: ['serch', 'search', 'fetch'] }];

    const failure = await failureFrom(world().load({ task: 'tea', orchestration: 'letter', agents }));

    expect(failure).toMatchObject({ type: 'Input.UnknownAgent', nonRetryable: true });
    expect(failure.problems).toEqual([
      { path: 'orchestration', message: 'no orchestration is called "letter" here; known: article' },
      { path: 'agents[0]', message: 'no agent is called "analist" here; did you mean "analyst"?' },
      { path: 'agents[1].tools[0]', message: 'no tool is called "serch" here; did you mean "search"?' },
      { path: 'agents[1].tools[2]', message: 'no tool is called "fetch" here; known: search' },
    ]);
  });

  test('a model that no provider here serves', async () => {
    const providers = createProviders({ named: { rationed: silent }, defaultModel: 'rationed/large' });

    const failure = await failureFrom(
      world({ providers }).load({ task: 'tea', agents: ['analyst', { name: 'b', instructions: 'x', model: 'other/small' }] }),
    );

    expect(failure.type).toBe('Input.UnknownAgent');
    expect(failure.problems).toMatchObject([
      { path: 'agents[1].model', message: expect.stringContaining('No provider here serves') as string },
    ]);
  });

  test('definitions that are too large to be recorded', async () => {
    const agents = [{ name: 'a', instructions: 'x'.repeat(sizes.team) }];

    const { type, message } = await failureFrom(world().load({ task: 'tea', agents }));

    expect(type).toBe('Input.TooLarge');
    expect(message).toContain(`at most ${sizes.team} can be recorded`);
  });
});

describe('recorded teams', () => {
  const blobs = (text: string | undefined) => ({
    asked: 0,
    async get() {
      this.asked += 1;
      return text;
    },
  });
  const team = (name: string) => JSON.stringify({ agents: [{ name, tools: [] }] });

  test('are read once', async () => {
    const store = blobs(team('a'));
    const teams = createTeamCache(store);

    await Promise.all([teams.loadRecordedAgent('t', 'a'), teams.loadRecordedAgent('t', 'a')]);
    await teams.loadRecordedAgent('t', 'a');

    expect(store.asked).toBe(1);
  });

  test('are forgotten when others were used more lately', async () => {
    const store = blobs(team('a'));
    const teams = createTeamCache(store, 2);

    for (const id of ['one', 'two', 'one', 'three', 'one', 'two']) await teams.loadRecordedAgent(id, 'a');

    expect(store.asked).toBe(4);
  });

  test('that the store has lost are asked for again', async () => {
    const store = blobs(undefined);
    const teams = createTeamCache(store);

    const failures = [await failureFrom(teams.loadRecordedAgent('t', 'a')), await failureFrom(teams.loadRecordedAgent('t', 'a'))];

    expect(failures).toMatchObject([{ type: 'Store.Unavailable', nonRetryable: false }, { type: 'Store.Unavailable' }]);
    expect(store.asked).toBe(2);
  });

  test.each([
    ['damaged', '{"agents":[{'],
    ['something else', '{"entries":[]}'],
    ['without that agent', team('b')],
  ])('that are %s are unreadable, for good', async (_, text) => {
    expect(await failureFrom(createTeamCache(blobs(text)).loadRecordedAgent('t', 'a'))).toMatchObject({
      type: 'State.Unreadable',
      nonRetryable: true,
    });
  });
});

describe('loadTeam of a nested run', () => {
  const origin = { parent: 'above', operationId: 'op-1', root: { workflowId: 'above', firstRunId: 'r' } };
  const nestedOf = async ({ load }: ReturnType<typeof world>) => {
    const member = { name: 'panel', pattern: 'sequential', agents: ['writer'] };
    const { team } = await load({ task: 'tea', agents: [member] });
    return { ...origin, prepared: team.members[0]?.nested?.prepared ?? '' };
  };

  test('gives what was prepared for it', async () => {
    const here = world();
    const nested = await nestedOf(here);

    expect(await here.load({ nested })).toMatchObject({ pattern: 'sequential', team: { members: [{ name: 'writer' }] } });
  });

  test('refuses what was prepared for another pattern, or is something else', async () => {
    const here = world();
    const nested = await nestedOf(here);
    const other = await here.store.blobs.put('{"previous":null,"entries":[]}');

    expect(await failureFrom(here.load({ nested }, 'routing'))).toMatchObject({ type: 'Input.Invalid', nonRetryable: true });
    expect(await failureFrom(here.load({ nested: { ...nested, prepared: other } }))).toMatchObject({ type: 'Input.Invalid' });
  });

  test('refuses a transcript that is none, or has another length', async () => {
    const here = world();
    const nested = await nestedOf(here);
    const part = await here.store.blobs.put('{"previous":{"part":"p","length":2},"entries":[{}]}');
    const inherit = (length: number) => ({ ...nested, inherited: { head: { part, length } } });

    expect(await here.load({ nested: inherit(3) })).toMatchObject({ pattern: 'sequential' });
    expect(await failureFrom(here.load({ nested: inherit(4) }))).toMatchObject({ type: 'Input.Invalid' });
  });

  test('asks a store that does not have it again, but not for ever', async () => {
    const { loadTeam } = world();
    const input = { pattern: 'sequential', input: { nested: { ...origin, prepared: 'nowhere' } } as never, firstRunId: 'first' };
    const attempt = (number: number) => failureFrom(activityEnvironment({ attempt: number }).run(loadTeam, input));

    expect(await attempt(1)).toMatchObject({ type: 'Store.Unavailable', nonRetryable: false });
    expect(await attempt(5)).toMatchObject({ type: 'Store.Unavailable', nonRetryable: true });
  });
});
