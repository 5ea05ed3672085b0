import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isRunning, readServerRecord } from '../../src/dev/server-record.js';
import { ownServer } from './own-server.js';
import { ostinatoProcess, startOstinato } from './support.js';

test('the demo works on a real document, ends cleanly, and one command goes on with the conversation', async () => {
  await using own = await ownServer();
  await using demo = startOstinato(['demo'], own);
  const began = Date.now();
  const silences = longestSilence(demo.process);

  const { code, out, err } = await demo.ended;
  const took = Date.now() - began;

  expect(code).toBe(0);
  expect(err).toContain('a built-in stand-in speaks');
  expect(out).toMatch(/\nanalyst\n[^]*Harrison[^]*\nwriter\n[^]*Harrison[^]*\neditor\n[^]*Harrison[^]*\nResult\n[^]*Harrison/);
  expect(out).toMatch(/\ncompleted · 3 turns · [\d,]+ tokens \([\d,]+ in, [\d,]+ out\) · \d+(\.\d)? s/);
  expect(out).toMatch(/http:\/\/127\.0\.0\.1:\d+\/namespaces\/default\/workflows\/sequential%2F\w+/);
  // It started the server, so it has ended it.
  expect(readServerRecord(own.dataDir)).toBeUndefined();
  // However fast the machine is.
  expect(silences()).toBeLessThan(Math.max(4000, took / 3));

  const [, next = ''] = /npx ostinato (say session\/editor\/\w+ )"Make it shorter\."/.exec(out) ?? [];
  const said = await ostinatoProcess([...next.trim().split(' '), 'Make it shorter.'], own);
  const result = /\nResult\n([^]*?)\n\ncompleted/.exec(out)?.[1] ?? '';

  expect(said).toMatchObject({ code: 0, out: expect.stringContaining('Harrison') });
  expect(said.out.length).toBeLessThan(result.length);
});

test("the demo takes a document of one's own, and speaks JSON", async () => {
  await using own = await ownServer();
  const document = 'In 1823 Robert Bruce found wild tea plants in Assam. '.repeat(3) + 'The first 12 chests reached London in 1838.';
  await writeFile(join(own.cwd, 'tea.md'), document);

  const { code, out } = await ostinatoProcess(['demo', '--file', 'tea.md', '--json'], own);

  const last = JSON.parse(out.trimEnd().split('\n').at(-1) ?? '') as object;
  expect(last).toMatchObject({ result: { status: 'completed', rounds: 3 }, sessionId: expect.stringMatching(/^session\/editor\//) });
  expect(out).toContain('12 chests');
  expect(code).toBe(0);
});

test('Ctrl-C in the middle of the demo ends it cleanly, and says how to come back', async () => {
  await using own = await ownServer();
  await using demo = startOstinato(['demo'], own);
  await demo.says(/\nwriter\n/);
  const record = readServerRecord(own.dataDir)!;

  demo.kill('SIGINT');
  const { code, err } = await demo.ended;

  expect(err).toMatch(/watch it with: {2}npx ostinato watch sequential\/\w+\n/);
  expect(`${code} ${err}`).toMatch(/^130 /);
  expect(await isRunning(record)).toBe(false);
});

/** Between two signs of life, in milliseconds. */
function longestSilence(process: { stdout: NodeJS.ReadableStream | null; stderr: NodeJS.ReadableStream | null }): () => number {
  let longest = 0;
  let last = Date.now();
  const hear = () => {
    longest = Math.max(longest, Date.now() - last);
    last = Date.now();
  };
  process.stdout?.on('data', hear);
  process.stderr?.on('data', hear);
  return () => longest;
}
