import { writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failureOf } from '../../src/contract/failure.js';
import { findTemporal } from '../../src/dev/temporal-binary.js';
import { findTestServer } from '../../src/dev/test-server.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ostinato-binary-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Only what is in `directory` is on the PATH, and no download gets through. */
function bare() {
  const nowhere = 'http://127.0.0.1:1';
  const env = { PATH: [join(directory, 'a'), join(directory, 'b')].join(delimiter), HTTPS_PROXY: nowhere, HTTP_PROXY: nowhere };
  return { cacheDir: join(directory, 'cache'), env };
}

async function program(path: string, script: string): Promise<string> {
  const file = join(directory, path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}

const temporalCli = 'echo "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"';

describe('the temporal executable', () => {
  test('is the one on the PATH', async () => {
    const path = await program('b/temporal', temporalCli);
    await program('cache/temporal/temporal', temporalCli);

    expect(await findTemporal(bare())).toBe(path);
  });

  test('is the cached one, when another program goes by its name', async () => {
    await program('a/temporal', 'echo "usage: temporal FILE"');
    const path = await program('cache/temporal/temporal', temporalCli);

    expect(await findTemporal(bare())).toBe(path);
  });

  test('is built with Go, when nothing else is to be had, and says so meanwhile', async () => {
    await program(
      'a/go',
      `[ "$1 $2" = "install github.com/temporalio/cli/cmd/temporal@v1.5.1" ] || exit 1
       while [ ! -e "${directory}/told" ]; do /bin/sleep 0.1; done
       /bin/cp "${directory}/built" "$GOBIN/temporal"`,
    );
    await program('built', temporalCli);
    const said: string[] = [];
    // It goes on once that was said.
    const onProgress = (message: string): void => {
      said.push(message);
      if (/^Building a Temporal server with Go.*\([1-9]\d* s\)$/.test(message)) {
        writeFileSync(join(directory, 'told'), '');
      }
    };

    const path = await findTemporal({ ...bare(), onProgress });

    expect(path).toBe(join(directory, 'cache', 'temporal', 'temporal'));
    expect(said).toContainEqual(expect.stringMatching(/^Building a Temporal server with Go, once, about 3 minutes \([1-9]\d* s\)$/));
  });

  test('when none can be had, one paragraph says why and what to install', async () => {
    await program('a/temporal', 'exit 3');
    await program('a/go', 'echo "dial: no route" >&2; exit 1');

    const { type, message } = failureOf(await findTemporal(bare()).catch((error: unknown) => error));

    expect(type).toBe('Connection.Failed');
    expect(message).not.toContain('\n');
    for (const part of [
      `${join(directory, 'a', 'temporal')}: it does not run`,
      "the download of Temporal's SDK: ",
      '`go install`: dial: no route',
      'Install the Temporal CLI',
      'set TEMPORAL_ADDRESS',
    ]) {
      expect(message).toContain(part);
    }
  });
});

test('when the time-skipping server cannot be had, one paragraph says why and what to install', async () => {
  const { type, message } = failureOf(await findTestServer(bare()).catch((error: unknown) => error));

  expect(type).toBe('Connection.Failed');
  expect(message).toMatch(/Maven: `java` is not installed\).*Install Java 11 or newer and Maven/);
});
