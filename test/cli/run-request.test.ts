import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exampleApplication } from '../../src/agents/catalog/index.js';
import type { Project } from '../../src/cli/project.js';
import { findWhat, readRunInput, type RunOptions } from '../../src/cli/run-request.js';
import { temporaryDirectory } from '../support/temporary.js';

const examples: Project = { application: exampleApplication, directory: '/' };

async function read(options: RunOptions, stdin = '', cwd = '/') {
  const machine = {
    cwd,
    stdin: (async function* () {
      yield stdin;
    })(),
  };
  return await readRunInput('sequential', options, machine);
}

describe('the input', () => {
  test('is made of options', async () => {
    const options = {
      agents: ['a', 'b'],
      task: 'Tea.',
      limitTurns: 2,
      limitTokens: 100,
      limitTime: '1 hour',
      conversation: 'sequential/1',
    };

    expect(await read(options)).toEqual({
      agents: ['a', 'b'],
      task: 'Tea.',
      limits: { turns: 2, tokens: 100, time: '1 hour' },
      conversation: 'sequential/1',
    });
  });

  test('is JSON that options override', async () => {
    const input = '{"agents": ["a"], "task": "Tea.", "limits": {"turns": 5, "tokens": 9}}';

    expect(await read({ input, task: 'Coffee.', limitTurns: 1 })).toEqual({
      agents: ['a'],
      task: 'Coffee.',
      limits: { turns: 1, tokens: 9 },
    });
  });

  test('comes from standard input with -', async () => {
    expect(await read({ input: '-' }, '{"agents": ["a"], "task": "Tea."}')).toEqual({ agents: ['a'], task: 'Tea.' });
  });

  test('comes from a file with @, and a file is what the task is about', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'input.json'), '{"agents": ["a"], "task": "Shorten this."}');
    await writeFile(join(directory.path, 'tea.md'), '# Tea');

    const { path } = directory;
    expect(await read({ input: '@input.json', file: 'tea.md' }, '', path)).toEqual({ agents: ['a'], task: 'Shorten this.\n\n# Tea' });
    expect(await read({ agents: ['a'], file: 'tea.md' }, '', path)).toEqual({ agents: ['a'], task: '# Tea' });
  });

  test.each([
    ['{bad', /^--input is not JSON: .*\. Write something such as/],
    ['[]', /^--input must be a JSON object such as .*, not an empty list\.$/],
    ['null', /^--input must be a JSON object such as .*, not null\.$/],
    ['{"task": {}, "agents": ["a"]}', /^The run input has/],
    ['@missing.json', /^"missing\.json" cannot be read/],
  ])('%s is refused', async (input, message) => {
    await expect(read({ input })).rejects.toMatchObject({ type: 'Input.Invalid', message: expect.stringMatching(message) });
  });

  test('that is incomplete is refused with all that is missing', async () => {
    await expect(read({})).rejects.toThrow(/^The run input has 2 problems:\n- task: is missing.*\n- agents: is missing/);
  });
});

describe('what to run', () => {
  test('is a pattern', async () => {
    expect(await findWhat('sequential', examples)).toBe('sequential');
  });

  test('or else an orchestration of the project', async () => {
    expect(await findWhat('article', examples)).toMatchObject({ name: 'article', pattern: 'sequential' });
  });

  test('or else an error that names both', async () => {
    await expect(findWhat('artcle', examples)).rejects.toThrow(
      'Nothing is called "artcle". Did you mean "article"? Patterns: sequential, concurrent, routing, handoff, groupChat, magentic, session. Orchestrations of the examples: article.',
    );
  });
});
