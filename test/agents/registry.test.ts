import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineAgent, type Agent } from '../../src/agents/define-agent.js';
import { defineOrchestration, type Orchestration } from '../../src/agents/define-orchestration.js';
import { createAgentRegistry } from '../../src/agents/registry.js';
import { failureOf } from '../../src/contract/failure.js';
import type { Problem } from '../../src/contract/problems.js';
import { defineTool } from '../../src/tools/define-tool.js';
import { createToolRegistry } from '../../src/tools/registry.js';

const search = defineTool({ name: 'search', description: 'Searches.', input: z.object({ query: z.string() }), run: () => 'found' });
const save = defineTool({ name: 'save', description: 'Saves.', input: z.object({ text: z.string() }), run: () => 'saved' });
const analyst = defineAgent({ name: 'analyst', instructions: 'You analyse.', tools: [search, 'save'] });
const writer = defineAgent({ name: 'writer', instructions: 'You write.' });
const article = defineOrchestration({ name: 'article', pattern: 'sequential', agents: [analyst, 'writer'], limits: { turns: 3 } });

function refusal(agents: unknown[], orchestrations: unknown[] = [], tools = createToolRegistry([save])) {
  try {
    createAgentRegistry(agents as Agent[], orchestrations as Orchestration[], tools);
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

  test('may hold the very agents that are registered as well', () => {
    expect(createAgentRegistry([writer, analyst], [article], createToolRegistry([save])).agentNames()).toEqual(['writer', 'analyst']);
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
    ['a tool where a list belongs', [{ ...writer, tools: search }], [], 'agents[0].tools', 'must be a list of names of tools'],
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
    ['an orchestration name twice', [writer], [article, article], 'orchestrations[1].name', '"article" is taken by orchestrations[0]'],
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
