import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parts, partOf, refusal, resolveRelative } from '../architecture.js';
import { janitorType } from '../src/contract/deletion.js';
import { patternNames } from '../src/contract/pattern.js';
import { importsOf, reexportsOf, sourcesOfSrc, type Sources } from './support/source.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = sourcesOfSrc();
const longest = 300;

describe('imports point one way', () => {
  test('every import in src is one that architecture.js allows', () => {
    expect(refusals(sources)).toEqual([]);
  });

  test('every file of src belongs to a part', () => {
    expect([...sources.keys()].filter((file) => partOf(file) === undefined)).toEqual([]);
  });

  test('no modules import each other in a circle', () => {
    expect(circles(sources)).toEqual([]);
  });

  test('the table names only parts that it has', () => {
    const named = Object.values(parts).flatMap((part) => part.imports.map((name) => name.replace(/^type:/, '')));

    expect(named.filter((name) => !(name in parts))).toEqual([]);
  });
});

describe('a wrong import is seen', () => {
  test.each([
    ['a pattern that imports another', 'src/workflows/handoff.ts', `export { x } from './sequential.js';`],
    ['a pattern that reaches past its vocabulary', 'src/workflows/handoff.ts', `import { sleep } from '@temporalio/workflow';`],
    ['an activity imported by value in a workflow', 'src/workflows/run/steps.ts', `import { a } from '../../activities/index.js';`],
    ['a type taken along with a value', 'src/workflows/run/steps.ts', `import { type A } from '../../activities/index.js';`],
    ['a schema by value in a workflow', 'src/workflows/run/open.ts', `import { s } from '../../contract/input-schema.js';`],
    ['zod in state', 'src/state/read-state.ts', `import { z } from 'zod';`],
    ['zod by value in the contract', 'src/contract/run.ts', `import { z } from 'zod';`],
    ['Node in the contract', 'src/contract/size.ts', `import { Buffer } from 'node:buffer';`],
    ['Node without its prefix', 'src/state/read-state.ts', `import fs from 'fs';`],
    ['a vendor in an activity', 'src/activities/call-model.ts', `import OpenAI from 'openai';`],
    ['an import at run time', 'src/client.ts', `const w = await import('./worker.js');`],
    ['an import inside of a type', 'src/contract/run.ts', `type S = import('../store/store.js').Store;`],
    ['the worker in the client', 'src/client.ts', `import { createWorker } from './worker.js';`],
    ['the package by its own name', 'src/cli/main.ts', `import { x } from 'ostinato/client';`],
    ['something outside of src', 'src/cli/main.ts', `import pkg from '../../package.json' with { type: 'json' };`],
    ['a file without a part', 'src/utils/misc.ts', `import { x } from '../contract/run.js';`],
  ])('%s', (_, file, text) => {
    expect(refusals(new Map([[file, text]]))).toHaveLength(1);
  });

  test.each([
    ['types of activities in a workflow', 'src/workflows/run/steps.ts', `import type { A } from '../../activities/index.js';`],
    ['a neighbour in the same part', 'src/workflows/run/turn.ts', `import { steps } from './steps.js';`],
    ['a pattern by the list of patterns', 'src/workflows/index.ts', `export { x } from './sequential.js';`],
    ['a vendor where it belongs', 'src/llm/openai-chat.ts', `import OpenAI from 'openai';`],
    ['the schemas in the client', 'src/client.ts', `import { s } from './contract/input-schema.js';`],
  ])('but not %s', (_, file, text) => {
    expect(refusals(new Map([[file, text]]))).toEqual([]);
  });

  test('a circle by value is found, one of types is none', () => {
    const a = `import { b } from './b.js';`;
    const circle = new Map(Object.entries({ 'src/llm/a.ts': a, 'src/llm/b.ts': `import './c.js';`, 'src/llm/c.ts': `import './a.js';` }));
    const types = new Map(Object.entries({ 'src/llm/a.ts': a, 'src/llm/b.ts': `import type { A } from './a.js';` }));

    expect(circles(circle)).toEqual(['src/llm/a.ts → src/llm/b.ts → src/llm/c.ts → src/llm/a.ts']);
    expect(circles(types)).toEqual([]);
  });
});

describe('a pattern is complete', () => {
  const index = reexportsOf('src/workflows/index.ts', sources.get('src/workflows/index.ts') ?? '');

  test('src/workflows/index.ts exports the patterns of the menu, the janitor and nothing else', () => {
    expect(index.others).toEqual([]);
    expect([...index.names.keys()].sort()).toEqual([...patternNames, janitorType].sort());
  });

  test.each(patternNames)('%s has its file, its test and its place in the documentation', (name) => {
    const file = kebab(name);

    expect(index.names.get(name)).toBe(`./${file}.js`);
    expect(existsSync(`${root}/test/workflows/${file}.test.ts`), `test/workflows/${file}.test.ts`).toBe(true);
    expect(headings('docs/patterns.md'), 'headings of docs/patterns.md').toContain(name);
  });
});

test(`no file of src is longer than ${longest} lines: at that length a second word hides in it`, () => {
  const lengths = [...sources].map(([file, text]) => ({ file, lines: text.trimEnd().split('\n').length }));

  expect(lengths.filter(({ lines }) => lines > longest)).toEqual([]);
});

function refusals(files: Sources): string[] {
  return [...files].flatMap(([from, text]) =>
    importsOf(from, text).flatMap((edge) => {
      const reason = refusal({ from, ...edge });
      return reason === undefined ? [] : [`${from}: ${reason}`];
    }),
  );
}

/** Circles of imports by value, each named once, from the first of its files that was met. */
function circles(files: Sources): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: string[]): void => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file].join(' → '));
    if (path.includes(file) || done.has(file)) return;
    for (const { specifier, typeOnly } of importsOf(file, files.get(file) ?? '')) {
      if (!typeOnly && specifier.startsWith('.')) walk(resolveRelative(file, specifier), [...path, file]);
    }
    done.add(file);
  };
  for (const file of files.keys()) walk(file, []);
  return found;
}

function headings(file: string): string[] {
  if (!existsSync(`${root}/${file}`)) return [];
  return [...readFileSync(`${root}/${file}`, 'utf8').matchAll(/^#+ +`?([\w-]+)/gm)].map((match) => match[1] as string);
}

/** groupChat → group-chat */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
