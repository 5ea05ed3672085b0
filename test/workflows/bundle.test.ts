import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleWorkflows } from '../../src/worker.js';

/** What Temporal's own sandbox library is made of. Anything else is in every cached run's memory, and needs a reason. */
const sandboxPackages = ['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc'];
const mebibyte = 1024 ** 2;

describe('the workflow bundle, as a worker makes it', () => {
  let code: string;

  beforeAll(async () => {
    ({ code } = await bundleWorkflows());
  });

  test('is smaller than 2 MB, source map included', () => {
    expect(code.length).toBeLessThan(2 * mebibyte);
  });

  test("holds Temporal's own packages and no other: no zod, no vendor SDK, no store", () => {
    expect(packagesIn(code)).toEqual(sandboxPackages);
  });

  test('holds of src only what may run in the sandbox', () => {
    const folders = new Set(modulesIn(code).flatMap((id) => /\bsrc\/([^/]+)/.exec(id)?.[1] ?? []));

    expect([...folders].sort()).toEqual(['contract', 'state', 'workflows']);
  });
});

describe('what does not belong in it is seen', () => {
  const place = mkdtempSync(join(tmpdir(), 'ostinato-bundle-'));
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(place, 'node_modules'), 'junction');
  afterAll(() => rmSync(place, { recursive: true }));

  test('a workflow that imports nothing else brings nothing else', async () => {
    const code = await bundle(workflowWith('@temporalio/workflow'));

    expect(packagesIn(code)).toEqual(sandboxPackages);
  });

  test.each(['zod', 'openai'])('%s shows up', async (name) => {
    const code = await bundle(workflowWith(name));

    expect(packagesIn(code)).toContain(name);
  });

  test.each([
    ['node:fs', 'node:fs'],
    ['crypto', "- 'crypto'"],
    ['libsql', "- 'fs'"],
  ])('%s cannot be bundled', async (name, reason) => {
    await expect(bundle(workflowWith(name))).rejects.toThrow(reason);
  });

  function workflowWith(name: string): string {
    const file = join(place, `${name.replace(/\W/g, '-')}.js`);
    writeFileSync(file, `import * as it from '${name}'; export const run = async () => Object.keys(it);`);
    return file;
  }
});

async function bundle(workflowsPath: string): Promise<string> {
  const said: string[] = [];
  const logger = new DefaultLogger('ERROR', ({ message }) => said.push(message));
  try {
    return (await bundleWorkflowCode({ workflowsPath, logger })).code;
  } catch (error) {
    throw new Error([String(error), ...said].join('\n'), { cause: error });
  }
}

/** Names of the modules in a bundle, as webpack writes them: one quoted path at the head of each. */
function modulesIn(code: string): string[] {
  return [...code.matchAll(/^\/\*{3}\/ "([^"]+)"/gm)].map((match) => match[1] as string);
}

function packagesIn(code: string): string[] {
  const names = modulesIn(code).flatMap((id) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1] ?? []);
  return [...new Set(names)].sort();
}
