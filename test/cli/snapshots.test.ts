/** Snapshots by the command: one conversation from its first word to another place, and everything that can be wrong on the way. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunExport, SnapshotDiff, SnapshotRecord } from '../../src/client.js';
import type { RunStatus } from '../../src/contract/run.js';
import { eventually } from '../support/eventually.js';
import { temporalForTests } from '../support/servers.js';
import { ostinato, ostinatoProcess, startOstinato, type Ended, type Running } from './support.js';

interface Place {
  cwd: string;
  env: Record<string, string>;
  worker: Running;
}

let here: Place;
let there: Place;
beforeAll(async () => {
  [here, there] = await Promise.all([openPlace(), openPlace()]);
});
afterAll(async () => {
  for (const place of [here, there]) {
    await place?.worker[Symbol.asyncDispose]();
    if (place) await rm(place.cwd, { recursive: true, force: true });
  }
});

/** A data directory and a task queue of their own, and a worker. */
async function openPlace(): Promise<Place> {
  const cwd = await mkdtemp(join(tmpdir(), 'ostinato-cli-snapshots-'));
  const { address, namespace } = temporalForTests();
  const env = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    OSTINATO_TASK_QUEUE: `snapshots-${randomUUID()}`,
    OSTINATO_DATA_DIR: join(cwd, 'data'),
  };
  const worker = startOstinato(['worker'], { cwd, env });
  await worker.says('Working on task queue');
  return { cwd, env, worker };
}

const ask = async (...args: string[]) => await ostinato(args, here);
const json = async <T>(...args: string[]) => JSON.parse((await ask(...args, '--json')).out) as T;
const uniqueId = (name: string) => `${name}/${randomUUID().slice(0, 8)}`;
const snapshotId = /^[0-9a-f]{32}$/;
const unknown = 'f'.repeat(32);

function expectOneMessage({ out, err, code }: Ended, message: RegExp, exitCode: number): void {
  expect(out).toBe('');
  expect(err).toMatch(message);
  expect(err.match(/✗/g)).toHaveLength(1);
  expect(err).not.toMatch(/^\s+at /m);
  expect(code).toBe(exitCode);
}

describe('a conversation', () => {
  const id = uniqueId('session/writer');
  let saved: string;
  let later: string;
  let ended: Ended;

  /** As a process of its own, as a person would. */
  const typed = async (...args: string[]) => {
    ended = await ostinatoProcess(args, here);
    expect(ended.code, ended.err).toBe(0);
    return ended;
  };

  test('is saved: the id alone is on standard output, what to do next beside it', async () => {
    await typed('say', id, 'In 1823 Robert Bruce found wild tea plants.');

    const { out, err } = await typed('save', id, '--label', 'before the auction');

    expect(out).toMatch(/^[0-9a-f]{32}\n$/);
    saved = out.trim();
    expect(err).toBe(`Start a run from it:  npx ostinato load ${saved}\n`);
  });

  test('goes on, and is saved again', async () => {
    await typed('say', id, 'The auction was in 1839.');

    const { out } = await typed('save', id, '--json');

    expect(JSON.parse(out)).toEqual({ runId: id, snapshotId: expect.stringMatching(snapshotId) });
    later = (JSON.parse(out) as { snapshotId: string }).snapshotId;
  });

  test('has a list of snapshots, newest first', async () => {
    const { out, err } = await typed('snapshots', id);

    expect(out).toMatch(
      new RegExp(
        `^SNAPSHOT +WHEN +TURN +ENTRIES +WHY +LABEL\n${later}  .+ 2 +4 +asked for\n${saved}  .+ 1 +2 +asked for +before the auction\n$`,
      ),
    );
    expect(err).toContain(`npx ostinato rollback ${id} ${later}`);
    expect((await json<SnapshotRecord[]>('snapshots', id, '--limit', '1')).map((record) => record.id)).toEqual([later]);
  });

  test('is compared with what it was', async () => {
    const { out } = await typed('diff', saved, later);
    const found = await json<SnapshotDiff>('diff', saved, later);

    expect(out).toMatch(
      new RegExp(`^- ${saved}\n\\+ ${later}\n\nSaid {2}2 entries in common\n\\+ 3 user: The auction was in 1839\\.\n\\+ 4 writer: `),
    );
    expect(out).toMatch(/\n {2}usage\.modelCalls: 1 → 2\n/);
    expect(found.transcript).toMatchObject({ common: 2, before: [], after: [{ position: 2, author: 'user' }, { author: 'writer' }] });
    expect(await ask('diff', saved, saved)).toMatchObject({ code: 0, out: expect.stringContaining('Everything else\n  is the same\n') });
  });

  test('is put back, and does not know what was said after that', async () => {
    const { out, err } = await typed('rollback', id, saved);

    expect(out).toBe(`${id} is put back to ${saved}.\n`);
    expect(err).toMatch(new RegExp(`^Undo it:  npx ostinato rollback ${id} [0-9a-f]{32}\n$`));
    expect((await ask('transcript', id)).out).not.toContain('1839');
    expect((await typed('say', id, 'When did Robert Bruce find wild tea plants?')).out).toContain('1823');
    expect((await json<{ entries: unknown[] }>('transcript', id)).entries).toHaveLength(4);
  });

  test('is put back again to what it was before', async () => {
    const undone = await json<{ snapshotId: string; undo: string }>('rollback', id, later);
    const list = await ask('snapshots', id);

    expect(undone.snapshotId).toBe(later);
    expect(list.out).toMatch(new RegExp(`\n${undone.undo} .*before a rollback\n`));
    expect((await ask('transcript', id)).out).toContain('1839');
    expect((await json<{ snapshotId: string }>('rollback', id, '--turn', '1')).snapshotId).toBe(saved);
  });

  test('is forked: both go on by themselves', async () => {
    const as = `${id}-fork`;

    const { out, err } = await typed('fork', id, '--as', as);
    const earlier = (await ask('fork', id, '--snapshot', later)).out.trim();

    expect(out).toBe(`${as}\n`);
    expect(err).toContain(`npx ostinato watch ${as}`);
    expect((await ask('say', as, 'When did Robert Bruce find wild tea plants?')).out).toContain('1823');
    expect((await json<{ entries: unknown[] }>('transcript', id)).entries).toHaveLength(2);
    await eventually(async () => expect((await ask('transcript', earlier)).out).toContain('1839'));
    for (const fork of [as, earlier]) await ask('cancel', fork);
  });

  test('tells in its status what it was asked to do', async () => {
    await ask('rollback', id, unknown);

    const { out } = await ask('status', id);

    expect(out).toContain(`fork: done, as ${id}-fork from `);
    expect(out).toMatch(/\n +rollback: failed, .* \(State\.NotFound\)\n/);
    expect(out).toMatch(/\nsnapshot +[0-9a-f]{32}\n/);
  });

  test('tells a watcher as well', async () => {
    await using watching = startOstinato(['watch', id], here);
    await watching.says(`Saved ${saved}: before the auction\n`);
    await watching.says(`Put back to ${saved}, after turn 1\n`);
    await watching.says(/\nCould not rollback: .* \(State\.NotFound\)\n/);
    await watching.says(' goes on from ');

    expect(watching.out().match(/^writer$/gm)).toHaveLength(3);
  });

  test('is exported as a file, all of it or nothing', async () => {
    const file = join(here.cwd, 'tea.json');

    const { out, err } = await typed('export', id, '--out', 'tea.json');
    const again = await ask('export', saved, '--out', 'tea.json', '--json');

    expect(out).toBe('');
    expect(err).toMatch(/^Wrote tea\.json: [\d,]+ bytes\.\nGo on with it anywhere: {2}npx ostinato import tea\.json --load\n$/);
    expect(JSON.parse(again.out)).toEqual({ file: 'tea.json', bytes: statSync(file).size, snapshotId: saved });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ type: 'ostinato.export', snapshotId: saved, run: { workflowId: id } });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(here.cwd).filter((name) => name.startsWith('tea'))).toEqual(['tea.json']);
  });

  test('an export on standard output is the document alone', async () => {
    expect(await json<RunExport>('export', saved)).toEqual(JSON.parse((await ask('export', saved)).out));
    expect(JSON.parse((await ask('export', id, '--agent', 'writer')).out)).toMatchObject({ schemaVersion: '1.1.0' });
  });

  test('is taken in at another place, where it goes on', async () => {
    const file = join(here.cwd, 'tea.json');
    const imported = await ostinatoProcess(['import', file], there);
    const id = uniqueId('again');

    const loaded = await ostinatoProcess(['load', imported.out.trim(), '--id', id], there);
    const said = await ostinatoProcess(['say', id, 'When did Robert Bruce find wild tea plants?'], there);
    const status = JSON.parse((await ostinato(['status', id, '--json'], there)).out) as RunStatus;

    expect(imported).toMatchObject({ code: 0, out: `${saved}\n`, err: expect.stringContaining(`npx ostinato load ${saved}`) });
    expect(loaded).toMatchObject({ code: 0, out: `${id}\n` });
    expect(loaded.err).toContain(`Go on with it:  npx ostinato say ${id} `);
    expect(said.out).toContain('1823');
    expect(status.origin).toMatchObject({ snapshotId: saved });
    expect((await ostinato(['status', id], there)).out).toContain(`origin      snapshot ${saved} of session/writer/`);
    await ostinato(['cancel', id], there);
    expect((await ostinato(['watch', id], there)).out).toContain(`Goes on from ${saved} of session/writer/`);
  });

  test('is taken in from standard input, and started at once', async () => {
    const stdin = (await ask('export', later)).out;
    const id = uniqueId('piped');

    const { code, out, err } = await ostinato(['import', '-', '--load', '--id', id], { ...there, stdin });
    const document = JSON.parse((await ostinato(['import', '-', '--load', '--json'], { ...there, stdin })).out) as { runId: string };

    expect({ code, out }).toEqual({ code: 0, out: `${id}\n` });
    expect(err).toContain(`Taken in as ${later}.`);
    expect(document).toMatchObject({ snapshotId: later, taskQueue: there.env.OSTINATO_TASK_QUEUE });
    expect((await ostinato(['say', id, 'When was the auction?'], there)).out).toContain('1839');
    for (const run of [id, document.runId]) await ostinato(['cancel', run], there);
  });

  test('loses snapshots when they are deleted, and says how many there were', async () => {
    const { out } = await typed('delete', saved, unknown);

    expect(out).toBe('1 snapshot deleted; 1 not on the list.\n');
    expect((await json<SnapshotRecord[]>('snapshots', id)).map((record) => record.id)).not.toContain(saved);
    expect(await json('delete', saved, later, later)).toEqual({ deleted: [later], missing: [saved] });
  });

  test('that has ended is saved, loaded and forked still, but not put back', async () => {
    await ask('cancel', id);
    await ask('result', id);
    const last = (await ask('save', id)).out.trim();

    expectOneMessage(await ask('rollback', id, saved), new RegExp(`^✗ ${id} has ended.* \`npx ostinato load ${saved}\`\\.\n$`), 2);
    const fork = (await ask('fork', id)).out.trim();
    expect((await ask('say', fork, 'When did Robert Bruce find wild tea plants?')).out).toContain('1823');
    await ask('cancel', fork);
    expect(last).toMatch(snapshotId);
  });
});

describe("an agent's state document", () => {
  test('comes back to the digit, of a run and of a snapshot of it', async () => {
    const id = uniqueId('session/elsewhere');
    const elsewhere = '{"schemaVersion":"1.1.0","data":{"conversationHistory":[],"x-count":9007199254740993}}';
    const stdin = JSON.stringify({ agents: ['writer'], states: { writer: elsewhere } });
    expect(await ostinato(['start', 'session', '--input', '-', '--id', id], { ...here, stdin })).toMatchObject({ code: 0 });

    const snapshot = (await ask('save', id, '--agents', 'writer')).out.trim();

    const { agents } = await json<RunExport>('export', snapshot);
    expect(agents?.['writer']).toContain('"x-count":9007199254740993');
    for (const of of [id, snapshot]) {
      expect((await ask('export', of, '--agent', 'writer')).out).toBe(`${agents?.['writer']}\n`);
      expect((await ask('export', of, '--agent', 'writer', '--json')).out).toBe(`${agents?.['writer']}\n`);
    }
    await ask('cancel', id);
  });
});

describe('what cannot be', () => {
  let own: string;
  let other: string;
  let snapshot: string;
  beforeAll(async () => {
    [own, other] = [uniqueId('own'), uniqueId('other')];
    for (const id of [own, other]) await ask('start', 'session', '--agents', 'writer', '--id', id);
    await ask('say', own, 'Hello.');
    snapshot = (await ask('save', own)).out.trim();
  });
  afterAll(async () => {
    for (const id of [own, other]) await ask('cancel', id);
  });

  test.each([[['load', unknown]], [['diff', unknown, unknown]], [['export', unknown]], [['load', 'tea']], [['diff', 'tea', 'tea']]])(
    '%j: there is no such snapshot',
    async (args) => {
      expectOneMessage(await ask(...args), /^✗ There is no snapshot "(f{32}|tea)" in this store\./, 4);
    },
  );

  test('a rollback and a fork without the snapshot that they name', async () => {
    for (const args of [
      ['rollback', own, unknown],
      ['fork', own, '--snapshot', unknown],
      ['rollback', own, '--turn', '9'],
    ])
      expectOneMessage(await ask(...args), /^✗ .+/, 4);
    expectOneMessage(await ask('rollback', own, 'tea'), /^✗ .*32 characters from 0 to f/, 2);
  });

  test('a rollback to a snapshot of another run', async () => {
    expectOneMessage(await ask('rollback', other, snapshot), new RegExp(`^✗ [^]*${own}`), 2);
  });

  test('a rollback to nothing, or to two things', async () => {
    expectOneMessage(await ask('rollback', own), /^✗ Name a snapshot, or a turn with --turn\./, 2);
    expectOneMessage(await ask('rollback', own, snapshot, '--turn', '1'), /^✗ Name either a snapshot or --turn, not both\./, 2);
  });

  test('a run under the id of an open one', async () => {
    expectOneMessage(await ask('load', snapshot, '--id', other), new RegExp(`^✗ A run "${other}" is open already`), 2);
    expectOneMessage(await ask('fork', own, '--as', other), new RegExp(`^✗ .*${other}`), 2);
  });

  test('other agents than those of the snapshot, unless somebody means it', async () => {
    const refused = await ask('load', snapshot, '--agents', 'editor');
    const meant = await ask('load', snapshot, '--agents', 'editor', '--override', '--limit-turns', '9');

    expectOneMessage(refused, /^✗ [^]*editor/, 2);
    expect(meant.code).toBe(0);
    expect((await ask('status', meant.out.trim())).out).toMatch(/\norigin .*, but for: /);
    await ask('cancel', meant.out.trim());
  });

  test.each([['save'], ['rollback'], ['fork'], ['export']])('%s: there is no such run', async (command) => {
    const args = command === 'rollback' ? [command, 'sequential/none', unknown] : [command, 'sequential/none'];

    expectOneMessage(await ask(...args), /^✗ There is no run "sequential\/none"/, 4);
  });

  test('a list of a run of which nothing was kept says so', async () => {
    const { code, out, err } = await ask('snapshots', other);

    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toMatch(new RegExp(`^There are no snapshots of "${other}" on task queue .*\nKeep one: {2}npx ostinato save ${other}\n$`));
    expect(await json('snapshots', other)).toEqual([]);
  });

  test.each([
    ['nothing', '', /^✗ "damaged\.json" is not what `ostinato export` gives\.\n$/],
    ['no text', '\u0000', /^✗ "damaged\.json" is not what `ostinato export` gives\.\n$/],
    ['half of it', (text: string) => text.slice(0, text.length / 2), /^✗ The document is not JSON: /],
    [
      'a word that was changed',
      (text: string) => text.replace('Hello.', 'Goodbye.'),
      /^✗ The document has one problem:\n- blobs\.[0-9a-f]{32}: is not what/,
    ],
    ['another document', '{"schemaVersion": "1.1.0", "data": {}}', /^✗ The document has one problem:\n- type: must be "ostinato\.export"/],
    ['a newer one', (text: string) => text.replace('"1.0.0"', '"2.0.0"'), /^✗ The document has version 2\.0\.0/],
  ])('taking in %s', async (_, damaged, message) => {
    const text = (await ask('export', snapshot)).out;
    await writeFile(join(there.cwd, 'damaged.json'), typeof damaged === 'string' ? damaged : damaged(text));

    expectOneMessage(await ostinato(['import', 'damaged.json'], there), message, 2);
    expectOneMessage(await ostinato(['load', snapshot], there), /^✗ There is no snapshot/, 4);
  });

  test('taking in something far too large, which is not even read', async () => {
    await writeFile(join(there.cwd, 'huge.json'), '');
    await truncate(join(there.cwd, 'huge.json'), 600 * 2 ** 20);

    expectOneMessage(
      await ostinato(['import', 'huge.json'], there),
      /^✗ "huge\.json" has more than 512 MiB, and is no export of ours\./,
      2,
    );
  });

  test("taking in an agent's state", async () => {
    const stdin = (await ask('export', own, '--agent', 'writer')).out;

    expectOneMessage(await ostinato(['import', '-'], { ...there, stdin }), /^✗ This is an agent's state\. .* without --agent\.\n$/, 2);
  });

  test('other mistakes are told before anything is done', async () => {
    expectOneMessage(await ask('import', 'missing.json'), /^✗ "missing\.json" cannot be read: there is no such file\./, 2);
    expectOneMessage(await ask('import', '.'), /^✗ "\." is a directory\./, 2);
    expectOneMessage(await ask('import', 'tea.json', '--id', 'x'), /^✗ --id is the id of a run .* add --load\./, 2);
    expectOneMessage(await ask('export', snapshot, '--agent', 'nobody'), /^✗ "nobody": not in the run's team \(writer\)\./, 2);
    expectOneMessage(await ask('save', own, '--agents', 'nobody'), /^✗ "nobody": not in the run's team \(writer\)\./, 2);
    expectOneMessage(await ask('delete', snapshot, 'tea'), /^✗ "tea" is no id of a snapshot.* Nothing was deleted\.\n$/, 2);
    expectOneMessage(
      await ask('export', snapshot, '--out', 'none/x.json'),
      /^✗ "none\/x\.json" cannot be written: there is no directory "none"\./,
      2,
    );
    expectOneMessage(await ask('export', snapshot, '--out', '.'), /^✗ "\." is a directory\./, 2);
    expect((await json<SnapshotRecord[]>('snapshots', own)).map(({ id }) => id)).toContain(snapshot);
  });

  test('a link that an export is written to stays a link, and a device a device', async () => {
    await writeFile(join(here.cwd, 'target.json'), 'old', { mode: 0o640 });
    await symlink('target.json', join(here.cwd, 'link.json'));

    await ask('export', snapshot, '--out', 'link.json');
    const { code } = await ask('export', snapshot, '--out', '/dev/null');

    expect(JSON.parse(readFileSync(join(here.cwd, 'target.json'), 'utf8'))).toMatchObject({ snapshotId: snapshot });
    expect(statSync(join(here.cwd, 'target.json')).mode & 0o777).toBe(0o640);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(code).toBe(0);
  });

  test('no server is needed for what lies in the store', async () => {
    const env = { ...here.env, TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const alone = async (...args: string[]) => (await ostinato(args, { ...here, env })).code;
    await writeFile(join(here.cwd, 'alone.json'), (await ask('export', snapshot)).out);

    expect(await alone('snapshots', own)).toBe(0);
    expect(await alone('diff', snapshot, snapshot)).toBe(0);
    expect(await alone('export', snapshot)).toBe(0);
    expect(await alone('import', 'alone.json')).toBe(0);
    expect(await alone('delete', unknown)).toBe(0);
  });
});

describe('while a step is in flight', () => {
  test('the wait can be bounded or interrupted, and what was asked is done all the same', async () => {
    const id = uniqueId('cat');
    await writeFile(join(here.cwd, 'sleepy.config.ts'), sleepy);
    const place = { ...here, env: { ...here.env, OSTINATO_TASK_QUEUE: `snapshots-${randomUUID()}` } };
    await using worker = startOstinato(['worker', '--config', 'sleepy.config.ts'], place);
    await worker.says('Working on task queue');
    await ostinato(['start', 'sequential', '--agents', 'cat', '--task', 'Take a nap.', '--id', id], place);
    await using watching = startOstinato(['watch', id, '--json'], place);
    await watching.says('"tool.called"');

    const pending = async () => (await ostinato(['status', id], place)).out.match(/save: pending/g);
    const bounded = await ostinato(['save', id, '--timeout', '1ms'], place);
    await using saving = startOstinato(['save', id, '--label', 'interrupted'], place);
    await eventually(async () => expect(await pending()).toHaveLength(2));
    saving.kill('SIGINT');
    const interrupted = await saving.ended;
    await writeFile(join(here.cwd, 'awake'), '');
    const result = await ostinato(['result', id], place);

    expectOneMessage(bounded, /^✗ .* has not come to it within 1 ms; it does so when the step in flight is done\./, 5);
    expect(interrupted).toMatchObject({ code: 130, out: '', err: expect.stringContaining(`npx ostinato status ${id}`) });
    expect(result.code).toBe(0);
    const labels = JSON.parse((await ostinato(['snapshots', id, '--json'], place)).out) as SnapshotRecord[];
    expect(labels.map(({ label }) => label)).toContain('interrupted');
  });
});

/** An agent whose tool takes as long as there is no file "awake". */
const sleepy = `
import { existsSync } from 'node:fs';
import { defineAgent, defineTool } from ${JSON.stringify(import.meta.resolve('../../src/index.ts'))};
import { z } from ${JSON.stringify(import.meta.resolve('zod'))};
const nap = defineTool({
  name: 'nap',
  description: 'Sleeps.',
  input: z.object({}),
  run: async () => {
    while (!existsSync('awake')) await new Promise((resolve) => setTimeout(resolve, 50));
    return 'slept';
  },
});
export default { agents: [defineAgent({ name: 'cat', instructions: 'You are a cat.', tools: [nap] })] };
`;
