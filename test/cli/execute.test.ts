import { expect, test } from 'vitest';
import type { Context } from '../../src/cli/context.js';
import { execute, type Execution } from '../../src/cli/execute.js';
import { fail } from '../../src/contract/failure.js';
import { recordedTerminal } from './support.js';

const never = new Promise<never>(() => undefined);

async function run(work: Execution['work'], { interruptedBy, json }: { interruptedBy?: string; json?: boolean } = {}) {
  const stopping = new AbortController();
  const { terminal, out, err } = recordedTerminal({ json });
  const machine = { out: process.stdout, err: process.stderr, stdin: process.stdin, env: {}, cwd: '/', signal: stopping.signal };
  const executing = execute({ machine, terminal, options: { dataDir: '/tmp/my data' }, work });
  if (interruptedBy) setTimeout(() => stopping.abort(interruptedBy), 10);
  return { code: await executing, out: out(), err: err() };
}

test('what a command has opened is closed in reverse order, also when it fails', async () => {
  const closed: string[] = [];

  const { code, err } = await run(async ({ defer }) => {
    defer(async () => void closed.push('first'));
    defer(async () => void closed.push('second'));
    throw fail('Run.NotFound', 'There is no such run.');
  });

  expect(closed).toEqual(['second', 'first']);
  expect({ code, err }).toEqual({ code: 4, err: '✗ There is no such run.\n' });
});

test('an interrupted command says how to come back, closes what it has opened, and ends with 130', async () => {
  const closed: string[] = [];

  const { code, err } = await run(
    async (context) => {
      context.defer(async () => void closed.push('server'));
      context.onInterrupt(`Come back with:  ${context.next('watch', 'article/1')}`);
      await never;
    },
    { interruptedBy: 'SIGINT' },
  );

  expect(closed).toEqual(['server']);
  expect({ code, err }).toEqual({ code: 130, err: 'Come back with:  npx ostinato watch article/1 --data-dir "/tmp/my data"\n' });
});

test('what fails because it was interrupted is no failure', async () => {
  const work = async ({ signal }: Context) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    signal.throwIfAborted();
  };

  expect(await run(work, { interruptedBy: 'SIGTERM' })).toEqual({ code: 130, out: '', err: '' });
});

test('for a command that stays until it is interrupted, that is its good end', async () => {
  expect(await run((context) => context.untilInterrupted(), { interruptedBy: 'SIGTERM' })).toEqual({ code: 0, out: '', err: '' });
});

test('nobody is told anything once nobody listens', async () => {
  const work = async (context: Context) => {
    context.onInterrupt('Come back.');
    await never;
  };

  expect(await run(work, { interruptedBy: 'closed' })).toEqual({ code: 0, out: '', err: '' });
});

test('a bug is one message too, and says how to see more', async () => {
  const { code, err } = await run(async () => {
    throw new TypeError('x is not a function');
  });

  expect({ code, err }).toEqual({ code: 1, err: '✗ x is not a function. Set OSTINATO_DEBUG=1 to see where this happened.\n' });
});

test('with --json a failure is one document on standard output', async () => {
  const work = () => Promise.reject(fail('Run.TimedOut', 'Not yet.'));

  expect(JSON.parse((await run(work, { json: true })).out)).toEqual({ error: { type: 'Run.TimedOut', message: 'Not yet.' } });
});
