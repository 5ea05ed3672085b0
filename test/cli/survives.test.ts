/** A conversation outlives every process that took part in it, and is continued by one command. */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Connection } from '@temporalio/client';
import { expect, test } from 'vitest';
import { isRunning, readServerRecord } from '../../src/dev/server-record.js';
import { findTemporal } from '../../src/dev/temporal-binary.js';
import { eventually } from '../support/eventually.js';
import { temporalForTests } from '../support/servers.js';
import { ownServer, type OwnServer } from './own-server.js';
import { ostinatoProcess, startOstinato } from './support.js';

const fact = 'Robert Bruce found wild tea plants in Assam in 1823. Remember that.';

async function serverRuns({ dataDir }: OwnServer): Promise<boolean> {
  const record = readServerRecord(dataDir);
  return record !== undefined && (await isRunning(record));
}

/** The server knows the worker with this process id. */
async function untilPolling({ dataDir }: OwnServer, pid: number): Promise<void> {
  const connection = await Connection.connect({ address: readServerRecord(dataDir)!.address });
  const question = { namespace: 'default', taskQueue: { name: 'ostinato' }, taskQueueType: 1 };
  await eventually(async () => {
    const { pollers } = await connection.workflowService.describeTaskQueue(question);
    expect(pollers?.map(({ identity }) => identity?.split('@')[0])).toContain(String(pid));
  });
  await connection.close();
}

test('a session survives kill -9 of dev, worker and server, and is continued by one command', async () => {
  await using own = await ownServer();
  const dev = startOstinato(['dev'], own);
  await dev.says('Try, in another terminal');
  const before = await ostinatoProcess(['say', 'writer', '--session', 'tea', fact], own);

  process.kill(own.serverPid()!, 'SIGKILL');
  dev.kill('SIGKILL');
  await dev.ended;
  const after = await ostinatoProcess(['say', 'session/writer/tea', 'When did Robert Bruce find plants?', '--json'], own);

  expect(before).toMatchObject({ code: 0 });
  expect(after.err).toContain('No Temporal server was running: one is started, with a worker, for as long as this command lasts.');
  expect(JSON.parse(after.out)).toMatchObject({ runId: 'session/writer/tea', reply: expect.stringContaining('1823') });
  expect(after.code).toBe(0);
  // It ends what it has started.
  expect(await serverRuns(own)).toBe(false);

  await using again = startOstinato(['dev'], own);
  await again.says('Try, in another terminal');
  const transcript = await ostinatoProcess(['transcript', 'session/writer/tea', '--json'], own);
  expect(JSON.parse(transcript.out)).toMatchObject({ entries: [{}, { turn: 1 }, {}, { turn: 2 }] });
});

test('where only dev was killed, the next command brings a worker and leaves the server as it was', async () => {
  await using own = await ownServer();
  const dev = startOstinato(['dev'], own);
  await dev.says('Try, in another terminal');
  dev.kill('SIGKILL');
  await dev.ended;

  const ended = await ostinatoProcess(['run', 'sequential', '--agents', 'writer', '--task', 'Write about tea.'], own);

  expect(ended.err).toContain('No worker was running: one is started, for as long as this command lasts.');
  expect(ended.code).toBe(0);
  expect(await serverRuns(own)).toBe(true);
});

test('dev says the three things that matter and the next command, and Ctrl-C ends its worker and its server', async () => {
  await using own = await ownServer();
  await using dev = startOstinato(['dev'], own);
  await dev.says('Try, in another terminal');

  const { address, uiUrl } = readServerRecord(own.dataDir)!;
  dev.kill('SIGINT');
  const { code, out } = await dev.ended;

  expect(out).toContain(`Temporal   ${address}, namespace default, task queue ostinato\n`);
  expect(out).toContain(`Web pages  ${uiUrl}/namespaces/default/workflows\n`);
  expect(out).toContain(`Data       ${own.dataDir}\n`);
  expect(out).toContain('npx ostinato say editor "Hello, who are you?"\n');
  expect(code).toBe(0);
  expect(await serverRuns(own)).toBe(false);
});

test('Ctrl-C while the server starts leaves no server behind', async () => {
  await using own = await ownServer();
  const { cacheDir } = temporalForTests();
  const temporal = await findTemporal({ cacheDir, env: process.env });
  // One that takes its time.
  const slow = `#!/bin/sh\n[ "$1" = server ] && sleep 5\nexec "${temporal}" "$@"\n`;
  await writeFile(join(own.cwd, 'temporal'), slow, { mode: 0o755 });
  const env = { ...own.env, PATH: `${own.cwd}${delimiter}${process.env.PATH}` };
  await using dev = startOstinato(['dev'], { ...own, env });
  await dev.says('Waiting for the Temporal server');

  dev.kill('SIGINT');
  const { code } = await dev.ended;

  expect(code).toBe(130);
  expect(await serverRuns(own)).toBe(false);
});

test('a server that somebody else works with is left to them', async () => {
  await using own = await ownServer();
  const key = randomUUID();
  await using dev = startOstinato(['dev'], own);
  await dev.says('Try, in another terminal');
  await using worker = startOstinato(['worker'], own);
  await worker.says('Working on task queue');
  await untilPolling(own, worker.pid);

  dev.kill('SIGINT');
  await dev.ended;
  const ended = await ostinatoProcess(['say', 'writer', '--session', key, 'Hello.'], own);

  expect(ended).toMatchObject({ code: 0, out: 'Noted: Hello.\n' });
  expect(ended.err).not.toContain('started');
});
