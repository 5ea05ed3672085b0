import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineAgent, type Agent } from '../../src/agents/define-agent.js';
import { defineOrchestration, type Orchestration } from '../../src/agents/define-orchestration.js';
import { createAgentRegistry } from '../../src/agents/registry.js';
import { failureOf } from '../../src/contract/failure.js';
import type { Problem } from '../../src/contract/problems.js';
import { defineTool } from '../../src/tools/define-tool.js';
import { defineFunction } from '../../src/functions/define-function.js';
import { createFunctionRegistry } from '../../src/functions/registry.js';
import { createToolRegistry } from '../../src/tools/registry.js';

const search = defineTool({ name: 'search', description: 'Searches.', input: z.object({ query: z.string() }), run: () => 'found' });
const save = defineTool({ name: 'save', description: 'Saves.', input: z.object({ text: z.string() }), run: () => 'saved' });
const analyst = defineAgent({ name: 'analyst', instructions: 'You analyse.', tools: [search, 'save'] });
const writer = defineAgent({ name: 'writer', instructions: 'You write.' });
const article = defineOrchestration({ name: 'article', pattern: 'sequential', agents: [analyst, 'writer'], limits: { turns: 3 } });

function refusal(agents: unknown[], orchestrations: unknown[] = [], tools = createToolRegistry([save])) {
  try {
    createAgentRegistry(agents as Agent[], orchestrations as Orchestration[], tools, createFunctionRegistry([]));
  } catch (error) {
    const { type, message, details } = failureOf(error);
    return { type, message, problems: details?.[0] as Problem[] };
  }
  throw new Error('It was accepted.');
}

describe('a registered agent', () => {
  test('is found by its name, in plain JSON', () => {
    const registry = createAgentRegistry([analyst, writer], [], createToolRegistry([save]));

    expect(registry.agentNames()).toEqual(['analyst', 'writer']);
    expect(registry.agent('analyst')).toEqual({ name: 'analyst', instructions: 'You analyse.', tools: ['search', 'save'] });
    expect(registry.agent('constructor')).toBeUndefined();
  });

  test('brings its tools along', () => {
    const tools = createToolRegistry([save]);

    createAgentRegistry([analyst], [], tools);

    expect(tools.get('search')).toBe(search);
    expect(tools.names()).toEqual(['save', 'search']);
  });

  test('says in plain JSON which calls are to be approved, and whom it may ask', () => {
    const large = defineFunction({ name: 'large', run: () => true });
    const [tools, functions] = [createToolRegistry([save]), createFunctionRegistry([])];
    const careful = defineAgent({
      name: 'careful',
      instructions: 'x',
      tools: [
        { tool: search, approval: { when: large, assignee: 'ann' } },
        { tool: 'save', approval: true },
        { person: { role: 'finance' } },
      ],
      review: { timeout: '1 day' },
    });

    expect(createAgentRegistry([careful], [], tools, functions).agent('careful')).toEqual({
      name: 'careful',
      instructions: 'x',
      tools: [
        { tool: 'search', approval: { when: 'large', assignee: 'ann' } },
        { tool: 'save', approval: true },
        { person: { role: 'finance' } },
      ],
      review: { timeout: '1 day' },
    });
    expect(tools.get('search')).toBe(search);
    expect(functions.names()).toEqual(['large']);
    const strange = defineAgent({ name: 'strange', instructions: 'x', tools: [{ tool: 'serch', approval: true }] });
    expect(refusal([strange]).problems).toMatchObject([{ path: 'agents[0].tools[0].tool', message: expect.stringContaining('"serch"') }]);
  });

  test('may name a tool that another agent brings', () => {
    const other = defineAgent({ name: 'other', instructions: 'x', tools: ['search'] });

    expect(createAgentRegistry([other, analyst], [], createToolRegistry([save])).agent('other')?.tools).toEqual(['search']);
  });

  test('may have the schema of its reply in zod or as JSON schema', () => {
    const outputSchema = z.object({ reasons: z.array(z.string()), answer: z.string() });
    const judges = [
      defineAgent({ name: 'one', instructions: 'x', outputSchema }),
      defineAgent({ name: 'two', instructions: 'x', outputSchema: { type: 'object' } }),
    ];

    const registry = createAgentRegistry(judges, [], createToolRegistry([]));

    expect(registry.agent('one')?.outputSchema).toMatchObject({ type: 'object', required: ['reasons', 'answer'] });
    expect(Object.keys(registry.agent('one')?.outputSchema?.properties ?? {})).toEqual(['reasons', 'answer']);
    expect(registry.agent('two')?.outputSchema).toEqual({ type: 'object' });
  });
});

describe('a registered orchestration', () => {
  test('is found by its name and brings its agents along', () => {
    const registry = createAgentRegistry([writer], [article], createToolRegistry([save]));

    expect(registry.orchestration('article')).toEqual({
      name: 'article',
      pattern: 'sequential',
      agents: ['analyst', 'writer'],
      limits: { turns: 3 },
    });
    expect(registry.orchestrationNames()).toEqual(['article']);
    expect(registry.agentNames()).toEqual(['writer', 'analyst']);
  });

  test('may come more than once', () => {
    expect(createAgentRegistry([writer], [article, article], createToolRegistry([save])).orchestrationNames()).toEqual(['article']);
  });

  test('may hold the very agents that are registered as well', () => {
    expect(createAgentRegistry([writer, analyst], [article], createToolRegistry([save])).agentNames()).toEqual(['writer', 'analyst']);
  });
});

describe('what an orchestration holds as values', () => {
  const longest = defineFunction({ name: 'longest', run: () => 'x' });
  const isDone = defineFunction({ name: 'isDone', run: () => true });
  const spell = defineFunction({ name: 'spell', run: () => 'x' });
  const count = defineFunction({ name: 'count', run: () => 1 });
  const editor = defineAgent({ name: 'editor', instructions: 'You edit.', tools: [search] });
  const clerk = defineAgent({ name: 'clerk', instructions: 'You sort.' });
  const Order = z.object({ topic: z.string(), copies: z.number().default(1) });

  test('is registered as well, and its names take their places', () => {
    const functions = createFunctionRegistry([]);
    const review = defineOrchestration({
      name: 'review',
      pattern: 'concurrent',
      agents: [writer],
      options: { aggregator: { function: longest } },
      termination: {
        type: 'or',
        conditions: [
          { type: 'custom', function: isDone },
          { type: 'maxTurns', max: 3 },
        ],
      },
      input: { schema: Order, transform: spell },
      output: { schema: Order, from: 'conversation', agent: editor, transform: count },
    });
    const desk = defineOrchestration({
      name: 'desk',
      pattern: 'routing',
      agents: [review, writer],
      options: { classifier: { agent: clerk }, routes: { review: 'review', other: { agent: 'writer', description: 'Else.' } } },
      output: Order,
    });

    const registry = createAgentRegistry([], [desk], createToolRegistry([]), functions);

    expect(registry.orchestrationNames()).toEqual(['desk', 'review']);
    expect(registry.agentNames().sort()).toEqual(['clerk', 'editor', 'writer']);
    expect(functions.names().sort()).toEqual(['count', 'isDone', 'longest', 'spell']);
    const schema = {
      type: 'object',
      required: ['topic'],
      properties: { copies: { default: 1, type: 'number' }, topic: { type: 'string' } },
    };
    expect(registry.orchestration('review')).toEqual({
      name: 'review',
      pattern: 'concurrent',
      agents: ['writer'],
      options: { aggregator: { function: 'longest' } },
      termination: {
        type: 'or',
        conditions: [
          { type: 'custom', function: 'isDone' },
          { type: 'maxTurns', max: 3 },
        ],
      },
      input: { schema, transform: 'spell' },
      output: { schema, from: 'conversation', agent: 'editor', transform: 'count' },
    });
    expect(registry.orchestration('desk')).toEqual({
      name: 'desk',
      pattern: 'routing',
      agents: ['review', 'writer'],
      options: { classifier: { agent: 'clerk' }, routes: { review: 'review', other: { agent: 'writer', description: 'Else.' } } },
      output: { schema },
    });
    expect(JSON.parse(JSON.stringify(registry.orchestration('review')))).toEqual(registry.orchestration('review'));
  });

  test('may come from several, and be registered besides', () => {
    const functions = createFunctionRegistry([longest]);
    const one = defineOrchestration({
      name: 'one',
      pattern: 'concurrent',
      agents: [writer],
      options: { aggregator: { function: longest } },
    });
    const two = defineOrchestration({ ...one, name: 'two' });

    expect(createAgentRegistry([writer], [one, two], createToolRegistry([]), functions).orchestrationNames()).toEqual(['one', 'two']);
    expect(functions.names()).toEqual(['longest']);
  });

  test('comes along from the tools of agents, too', () => {
    const functions = createFunctionRegistry([]);
    const panel = defineOrchestration({
      name: 'panel',
      pattern: 'concurrent',
      agents: [clerk],
      options: { aggregator: { function: longest } },
    });
    const chief = defineAgent({
      name: 'chief',
      instructions: 'You lead.',
      tools: [{ agent: editor }, { orchestration: panel }, { agent: 'writer' }],
    });

    const registry = createAgentRegistry([chief, writer], [], createToolRegistry([]), functions);

    expect(registry.agent('chief')?.tools).toEqual([{ agent: 'editor' }, { orchestration: 'panel' }, { agent: 'writer' }]);
    expect(registry.agentNames().sort()).toEqual(['chief', 'clerk', 'editor', 'writer']);
    expect(registry.orchestrationNames()).toEqual(['panel']);
    expect(functions.names()).toEqual(['longest']);
  });

  test('leaves schemas in JSON, and names, as they are', () => {
    const schema = { type: 'object', properties: { name: { const: 'x' } } };
    const plain = defineOrchestration({
      name: 'plain',
      pattern: 'sequential',
      agents: [writer],
      input: { schema, transform: 'spell' },
      output: { schema },
    });

    expect(createAgentRegistry([], [plain], createToolRegistry([]), createFunctionRegistry([])).orchestration('plain')).toMatchObject({
      input: { schema, transform: 'spell' },
      output: { schema },
    });
  });

  test.each<[string, object, string, string]>([
    ['another function under a known name', { options: { aggregator: { function: { ...longest } } } }, 'options.aggregator', 'must be'],
    ['a bare function', { options: { aggregator: { function: () => 1 } } }, 'options.aggregator', 'must be'],
    ['an input that JSON cannot hold', { input: z.object({ at: z.date() }) }, 'input', 'has no JSON schema'],
    ['an output that JSON cannot hold', { output: { schema: z.map(z.string(), z.string()) } }, 'output', 'has no JSON schema'],
    ['an input of no kind', { input: 7 }, 'input', 'must be an object with schema or transform'],
    ['a model that is asked for nothing', { output: { from: 'conversation' } }, 'output.schema', 'is missing'],
  ])('is refused: %s', (_, more, path, message) => {
    const { problems } = refusal([], [{ name: 'o', pattern: 'concurrent', agents: [writer], ...more }]);

    const found = problems.filter((problem) => problem.path.startsWith(`orchestrations[0].${path}`));
    expect(found.map((problem) => problem.message).join()).toContain(message);
  });

  test('is refused where two functions have one name', () => {
    const other = defineFunction({ name: 'longest', run: () => 'y' });
    const orchestrations = [longest, other].map((given, i) => ({
      name: `o${i}`,
      pattern: 'concurrent',
      agents: [writer],
      options: { aggregator: { function: given } },
    }));

    expect(refusal([], orchestrations).problems).toEqual([
      {
        path: 'orchestrations[1].options.aggregator.function.name',
        message: '"longest" is the name of another function, orchestrations[0].options.aggregator.function; rename one of them',
      },
    ]);
  });
});

describe('registration refuses', () => {
  test.each<[string, unknown[], unknown[], string, string]>([
    ['a bad name', [{ ...writer, name: 'the writer' }], [], 'agents[0].name', 'must be a name: a letter'],
    ['no instructions', [{ name: 'writer' }], [], 'agents[0].instructions', 'is missing'],
    ['a misspelt member', [{ ...writer, modle: 'x' }], [], 'agents[0].modle', 'did you mean "model"?'],
    ['too many tool rounds', [{ ...writer, maxToolRounds: 1001 }], [], 'agents[0].maxToolRounds', 'from 1 to 1000, not 1001'],
    ['a name twice', [writer, { ...writer }], [], 'agents[1].name', '"writer" is taken by agents[0]'],
    ['a name twice, capitals aside', [writer, { ...writer, name: 'WRITER' }], [], 'agents[1].name', 'is taken by agents[0]'],
    ['what is no agent', ['writer'], [], 'agents[0]', 'must be an agent made with defineAgent, not "writer"'],
    [
      'an unknown tool',
      [{ ...writer, tools: ['serch', 'safe'] }],
      [],
      'agents[0].tools[1]',
      'no tool is called "safe"; did you mean "save"?',
    ],
    [
      'another tool under a known name',
      [{ ...writer, tools: [{ ...save }] }],
      [],
      'agents[0].tools[0].name',
      '"save" is the name of another tool, tools[0]',
    ],
    ['a bad tool', [{ ...writer, tools: [{ ...search, input: z.string() }] }], [], 'agents[0].tools[0].input', 'must be an object schema'],
    ['what is no tool', [{ ...writer, tools: [7] }], [], 'agents[0].tools[0]', 'must be a tool made with defineTool, not 7'],
    ['a tool where a list belongs', [{ ...writer, tools: search }], [], 'agents[0].tools', 'must be a list of tools, not an object'],
    [
      'a reply that JSON cannot hold',
      [{ ...writer, outputSchema: z.object({ at: z.date() }) }],
      [],
      'agents[0].outputSchema',
      'has no JSON schema',
    ],
    [
      'an orchestration with the name of a pattern',
      [writer],
      [{ ...article, agents: ['writer'], name: 'Sequential' }],
      'orchestrations[0].name',
      'is the name of a pattern',
    ],
    ['an orchestration without name', [writer], [{ pattern: 'session', agents: ['writer'] }], 'orchestrations[0].name', 'must be a letter'],
    [
      'an orchestration name twice',
      [writer],
      [article, { ...article }],
      'orchestrations[1].name',
      '"article" is taken by orchestrations[0]',
    ],
    [
      'an unknown pattern',
      [writer],
      [{ ...article, agents: ['writer'], pattern: 'sequental' }],
      'orchestrations[0].pattern',
      'no pattern is called "sequental"; did you mean "sequential"?',
    ],
    [
      'an unknown agent',
      [writer],
      [{ ...article, agents: ['writer', 'wrter'] }],
      'orchestrations[0].agents[1]',
      'no agent is called "wrter"; did you mean "writer"?',
    ],
    ['too many agents', [writer], [{ ...article, pattern: 'session' }], 'orchestrations[0].agents', 'must hold exactly 1, not 2'],
    ['no agents', [writer], [{ name: 'empty', pattern: 'sequential' }], 'orchestrations[0].agents', 'is missing'],
    ['a bad limit', [writer], [{ ...article, limits: { turns: 0 } }], 'orchestrations[0].limits.turns', 'must be a whole number'],
    ['an unknown option', [writer], [{ ...article, options: { rounds: 1 } }], 'orchestrations[0].options.rounds', 'is not known here'],
    ['a bad agent inside', [], [{ ...article, agents: [{ name: 'x' }] }], 'orchestrations[0].agents[0].instructions', 'is missing'],
    [
      'what is no orchestration',
      [],
      [undefined],
      'orchestrations[0]',
      'must be an orchestration made with defineOrchestration, not undefined',
    ],
  ])('%s', (_, agents, orchestrations, path, message) => {
    const { type, problems } = refusal(agents, orchestrations);

    expect(type).toBe('Input.Invalid');
    expect(problems.find((problem) => problem.path === path)?.message).toContain(message);
  });

  test('everything at once, in one readable message', () => {
    const { message, problems } = refusal(
      [{ name: '1st', instructions: '' }, { ...writer, tools: ['unknown'] }, { ...writer }],
      [{ name: 'session', pattern: 'sequential', agents: ['nobody'] }],
    );

    expect(problems.map(({ path }) => path)).toEqual([
      'agents[0].name',
      'agents[0].instructions',
      'agents[2].name',
      'agents[1].tools[0]',
      'orchestrations[0].name',
      'orchestrations[0].agents[0]',
    ]);
    expect(message).toMatch(/^The registration of agents and orchestrations has 6 problems:\n- agents\[0\].name: must be a name/);
  });
});
