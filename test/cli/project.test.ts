import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeProject, loadProject, patternsOf } from '../../src/cli/project.js';
import { temporaryDirectory } from '../support/temporary.js';

async function project(files: { [path: string]: string }) {
  const directory = await temporaryDirectory();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(directory.path, path, '..'), { recursive: true });
    await writeFile(join(directory.path, path), text);
  }
  return directory;
}

const writer = `{ name: 'writer', instructions: 'You write.' }`;

test.each(['ts', 'mts', 'js', 'mjs'])('ostinato.config.%s in the directory is the project', async (extension) => {
  await using directory = await project({ [`ostinato.config.${extension}`]: `export default { agents: [${writer}] };` });

  const found = await loadProject(directory.path);

  expect(found.file).toBe(`ostinato.config.${extension}`);
  expect(found.application.agents?.map(({ name }) => name)).toEqual(['writer']);
  expect(describeProject(found)).toBe(`writer (ostinato.config.${extension})`);
});

test('a project file may be TypeScript over several files, and may lie elsewhere', async () => {
  await using directory = await project({
    'app/agents.ts': `interface Named { name: string }\nexport const writer = ${writer} satisfies Named;`,
    'app/agents.config.ts': `import { writer } from './agents.js';\nexport default { agents: [writer] };`,
  });

  const found = await loadProject(directory.path, 'app/agents.config.ts');

  expect(found.file).toBe(join('app', 'agents.config.ts'));
  expect(found.application.agents).toHaveLength(1);
});

test('without a project file there are the examples, and it is said that they are', async () => {
  await using directory = await project({});

  const found = await loadProject(directory.path);

  expect(describeProject(found)).toBe(
    'analyst, writer, editor; orchestrations: article (the examples of this package, as there is no ostinato.config.ts here)',
  );
});

test.each([
  ['what does not parse', 'const a = 1;\nexport default { agents: [ };', /^ostinato\.config\.ts:2:\d+: .*Unexpected token/],
  ['what throws', 'const a = 1;\n\nthrow new Error("boom");', /^ostinato\.config\.ts:3:\d+: boom\./],
  ['what is not defined', 'export default { agents: [nobody] };', /^ostinato\.config\.ts:1:\d+: ReferenceError: nobody is not defined\./],
  [
    'what is not there',
    "import { a } from './a.js';\nexport default { agents: [a] };",
    /^ostinato\.config\.ts:1:\d+: .*Cannot find module '\.\/a\.js'/,
  ],
  ['no default export', 'export const agents = [];', /^ostinato\.config\.ts has no default export\. Let its default export be/],
  ['something else as default export', 'export default [];', /^ostinato\.config\.ts has an empty list as default export\./],
  [
    'a member that is not known',
    'export default { agent: [] };',
    /^ostinato\.config\.ts: agent is not known here; did you mean "agents"\?/,
  ],
  ['a member of a wrong kind', 'export default { agents: {} };', /^ostinato\.config\.ts: agents must be a list, not an object\./],
])('%s is one message with its place', async (_, text, message) => {
  await using directory = await project({ 'ostinato.config.ts': text });

  await expect(loadProject(directory.path)).rejects.toMatchObject({ type: 'Input.Invalid', message: expect.stringMatching(message) });
});

test('an error in a file that the project file imports names that file', async () => {
  await using directory = await project({
    'agents/writer.ts': 'export const a = 1;\nexport const writer = undefinedThing;',
    'ostinato.config.ts': `import { writer } from './agents/writer.js';\nexport default { agents: [writer] };`,
  });

  await expect(loadProject(directory.path)).rejects.toThrow(/^agents\/writer\.ts:2:\d+: ReferenceError/);
});

test.each([
  ['nothing.ts', /^There is no project file "nothing\.ts"/],
  ['.', /^"\." is no file/],
])('--config %s is refused', async (path, message) => {
  await using directory = await project({});

  await expect(loadProject(directory.path, path)).rejects.toThrow(message);
});

test("the project's own patterns are what its workflows module exports, beside the project file", async () => {
  await using directory = await project({
    'app/workflows.ts': 'export const duet = () => undefined;\nexport const tempo = 60;',
    'app/ostinato.config.ts': `export default { workflowsPath: './workflows.ts' };`,
  });

  const found = await loadProject(directory.path, 'app/ostinato.config.ts');

  expect(found.application.workflowsPath).toBe(join(directory.path, 'app/workflows.ts'));
  expect(await patternsOf(found)).toEqual(['duet']);
});
