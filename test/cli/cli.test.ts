import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary.js';
import { ostinato } from './support.js';

/** One message, no stack, and nothing on standard output. */
function expectOneMessage({ out, err }: { out: string; err: string }, message: RegExp | string): void {
  expect(out).toBe('');
  expect(err).toMatch(message);
  expect(err.match(/✗/g)).toHaveLength(1);
  expect(err).not.toMatch(/^\s+at /m);
}

describe('bad input is one clear message', () => {
  test.each([
    [['statsu'], /^✗ Unknown command 'statsu'\. Did you mean status\? See `ostinato --help`\.\n$/],
    [['status'], /^✗ Missing required argument 'run'\. See `ostinato status --help`\.\n$/],
    [['status', 'x', '--jsn'], /^✗ Unknown option '--jsn'\. Did you mean --json\? See `ostinato status --help`\.\n$/],
    [['status', 'x', 'y'], /^✗ Too many arguments for 'status'\. Expected 1 argument but got 2/],
    [['list', '--limit', 'many'], /^✗ Option '--limit <n>' argument 'many' is invalid\. It must be a whole number of at least 1\./],
    [['result', 'x', '--timeout', '5'], /^✗ Option '--timeout <span>' argument '5' is invalid\. It must be a span of time/],
    [
      ['run', 'nothing'],
      /^✗ Nothing is called "nothing"\. Patterns: sequential, concurrent, routing, handoff, groupChat, magentic, session\. Orchestrations of the examples: article\.\n$/,
    ],
    [['run', 'sequential'], /^✗ The run input has 2 problems:\n- task: .*\n- agents: .*\n$/],
    [['run', 'sequential', '--input', '{bad'], /^✗ --input is not JSON: /],
    [['run', 'sequential', '--agents', 'a,a', '--task', 'x'], /^✗ The run input has one problem:\n- agents\[1\]: /],
    [['start', 'article', '--file', 'missing.md'], /^✗ "missing\.md" cannot be read: there is no such file\./],
    [['say', 'writer'], /^✗ There is nothing to say\./],
    [['demo', '--file', 'missing.md'], /^✗ "missing\.md" cannot be read: there is no such file\./],
    [['worker', '--config', 'missing.ts'], /^✗ There is no project file "missing\.ts"\./],
    [['list', '--task-queue', ''], /^✗ Some settings cannot be used\..*\n- taskQueue: must not be empty\n$/],
  ])('%j', async (args, message) => {
    await using directory = await temporaryDirectory();

    const ended = await ostinato(args, { cwd: directory.path });

    expectOneMessage(ended, message);
    expect(ended.code).toBe(2);
  });

  test('a mistake in the project file has its place', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'ostinato.config.ts'), 'export default {\n  agents: [,\n');

    const ended = await ostinato(['run', 'article', '--task', 'x'], { cwd: directory.path });

    expectOneMessage(ended, /^✗ ostinato\.config\.ts:3:\d+: /);
    expect(ended.code).toBe(2);
  });

  test('with --json it is one document too', async () => {
    await using directory = await temporaryDirectory();

    const usage = await ostinato(['status', '--json'], { cwd: directory.path });
    const input = await ostinato(['run', 'sequential', '--json'], { cwd: directory.path });

    expect(JSON.parse(usage.out)).toEqual({
      error: { type: 'Input.Invalid', message: expect.stringContaining("Missing required argument 'run'") },
    });
    expect(JSON.parse(input.out)).toMatchObject({ error: { type: 'Input.Invalid', details: [[{ path: 'task' }, { path: 'agents' }]] } });
  });

  test('OSTINATO_DEBUG shows where it came from', async () => {
    await using directory = await temporaryDirectory();

    const { err } = await ostinato(['run', 'nothing'], { cwd: directory.path, env: { OSTINATO_DEBUG: '1' } });

    expect(err).toMatch(/^\s+at .*run-request\.ts/m);
  });
});

describe('help', () => {
  test('names every command, and each has its own', async () => {
    await using directory = await temporaryDirectory();
    const names =
      'demo dev worker run start say status watch result cancel list transcript save snapshots load rollback fork diff export import delete'.split(
        ' ',
      );

    const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

    const { code, out } = await ostinato(['--help'], { cwd: directory.path });

    expect(code).toBe(0);
    for (const name of names) {
      expect(out).toMatch(new RegExp(`^ +${name} `, 'm'));
      const own = await ostinato([name, '--help'], { cwd: directory.path });
      expect(own.out).toContain(`Usage: ostinato ${name} [options]`);
      expect(own.out).toContain('--json');
      expect(own.code).toBe(0);
      expect(page).toContain(`\n### ${name}\n`);
    }
  });

  test('is shown, as a mistake, when nothing is asked for', async () => {
    await using directory = await temporaryDirectory();

    const { code, out, err } = await ostinato([], { cwd: directory.path });

    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^Usage: ostinato/);
  });

  test('the version is that of the package', async () => {
    await using directory = await temporaryDirectory();

    expect((await ostinato(['--version'], { cwd: directory.path })).out).toMatch(/^\d+\.\d+\.\d+/);
  });
});

test('without the server that was named, every command says where it looked', async () => {
  const nobody = '127.0.0.1:1';
  const commands = [
    ['status', 'x'],
    ['watch', 'x'],
    ['result', 'x'],
    ['cancel', 'x'],
    ['list'],
    ['transcript', 'x'],
    ['save', 'x'],
    ['rollback', 'x', '--turn', '1'],
    ['fork', 'x'],
    ['load', 'f'.repeat(32)],
    ['export', 'x'],
    ['collect'],
    ['worker'],
    ['dev'],
    ['demo'],
    ['say', 'writer', 'Hello.'],
    ['start', 'article', '--task', 'x'],
    ['run', 'article', '--task', 'x'],
  ];
  await using directory = await temporaryDirectory();

  const ended = await Promise.all(commands.map((args) => ostinato([...args, '--address', nobody], { cwd: directory.path })));

  for (const { code, out, err } of ended) {
    expectOneMessage({ out, err }, new RegExp(`✗ No Temporal server could be reached at ${nobody} .*connection refused`));
    expect(code).toBe(3);
  }
});
