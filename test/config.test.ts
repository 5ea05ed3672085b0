import { homedir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { loadConfig, settings } from '../src/config.js';
import { failureOf } from '../src/contract/failure.js';

function problemsOf(env: Record<string, string>, overrides = {}): string[] {
  try {
    loadConfig(overrides, env);
  } catch (error) {
    expect(failureOf(error).type).toBe('Input.Invalid');
    return failureOf(error).details as string[];
  }
  return [];
}

describe('without any setting', () => {
  const config = loadConfig({}, {});

  test('everything has a default', () => {
    expect(config).toMatchObject({
      taskQueue: 'ostinato',
      dataDir: join(process.cwd(), '.ostinato'),
      cacheDir: join(homedir(), '.cache', 'ostinato'),
      providers: { named: {}, defaultModel: 'gpt-5-mini' },
      times: {
        model: { attemptMs: 300_000, attempts: 6, totalMs: 1_800_000, heartbeatMs: 10_000 },
        tool: { attemptMs: 300_000, attempts: 6, totalMs: 1_800_000, heartbeatMs: 10_000 },
      },
      worker: { shutdownGraceMs: 30_000, stickyTimeoutMs: 10_000, maxConcurrentSteps: 500 },
    });
    expect(config.worker.maxCachedWorkflows).toBeUndefined();
  });

  test('the stand-in speaks: there is no default provider', () => {
    expect(config.providers.default).toBeUndefined();
  });

  test('nothing in it can be changed', () => {
    expect(() => Object.assign(config, { taskQueue: 'other' })).toThrow(TypeError);
    expect(() => Object.assign(config.times.model, { attempts: 1 })).toThrow(TypeError);
  });
});

test('every setting is read', () => {
  const config = loadConfig(
    {},
    {
      OSTINATO_TASK_QUEUE: 'staging',
      OSTINATO_DATA_DIR: '/data',
      OSTINATO_CACHE_DIR: '/cache',
      OPENAI_API_KEY: 'sk-first',
      OPENAI_BASE_URL: 'http://localhost:8080/v1',
      OSTINATO_OPENAI_API: 'responses',
      OSTINATO_MODEL: 'large',
      OSTINATO_MAX_CALLS_PER_SECOND: '0.5',
      OSTINATO_MAX_CONCURRENT_CALLS: '3',
      OSTINATO_PROVIDERS: '{"other": {"baseURL": "https://models.example/v1", "apiKeyEnv": "OTHER_KEY", "maxCallsPerSecond": 7}}',
      OTHER_KEY: 'sk-second',
      OSTINATO_MODEL_ATTEMPT_TIMEOUT: '90 seconds',
      OSTINATO_MODEL_ATTEMPTS: '2',
      OSTINATO_MODEL_TOTAL_TIMEOUT: '4m',
      OSTINATO_TOOL_ATTEMPT_TIMEOUT: '1500 ms',
      OSTINATO_TOOL_ATTEMPTS: '1',
      OSTINATO_TOOL_TOTAL_TIMEOUT: '1.5 hours',
      OSTINATO_HEARTBEAT_TIMEOUT: '2s',
      OSTINATO_SHUTDOWN_GRACE: '1s',
      OSTINATO_STICKY_TIMEOUT: '3s',
      OSTINATO_MAX_CACHED_WORKFLOWS: '20',
      OSTINATO_MAX_CONCURRENT_STEPS: '30',
    },
  );

  expect(config).toMatchObject({
    taskQueue: 'staging',
    dataDir: '/data',
    cacheDir: '/cache',
    providers: {
      default: { baseURL: 'http://localhost:8080/v1', api: 'responses', maxCallsPerSecond: 0.5, maxConcurrentCalls: 3 },
      named: { other: { baseURL: 'https://models.example/v1', api: 'chat', maxCallsPerSecond: 7 } },
      defaultModel: 'large',
    },
    times: {
      model: { attemptMs: 90_000, attempts: 2, totalMs: 240_000, heartbeatMs: 2000 },
      tool: { attemptMs: 1500, attempts: 1, totalMs: 5_400_000, heartbeatMs: 2000 },
    },
    worker: { shutdownGraceMs: 1000, stickyTimeoutMs: 3000, maxCachedWorkflows: 20, maxConcurrentSteps: 30 },
  });
  expect(config.providers.default?.apiKey()).toBe('sk-first');
  expect(config.providers.named.other?.apiKey()).toBe('sk-second');
});

test('an endpoint without a key is a provider: local models want none', () => {
  const { providers } = loadConfig({}, { OPENAI_BASE_URL: 'http://localhost:11434/v1' });

  expect(providers.default?.apiKey()).toBe('');
});

test('an empty variable is an unset one', () => {
  const config = loadConfig({}, { OPENAI_API_KEY: '', OSTINATO_TASK_QUEUE: ' ', OSTINATO_MODEL_ATTEMPTS: '' });

  expect(config.providers.default).toBeUndefined();
  expect(config.taskQueue).toBe('ostinato');
  expect(config.times.model.attempts).toBe(6);
});

test('limits hold for the stand-in as well', () => {
  const { providers } = loadConfig({}, { OSTINATO_MAX_CONCURRENT_CALLS: '1' });

  expect(providers.limits.maxConcurrentCalls).toBe(1);
});

test('what code says wins, and what it leaves undefined is left alone', () => {
  const config = loadConfig(
    { taskQueue: 'mine', dataDir: undefined, times: { model: { attempts: 1, heartbeatMs: undefined } }, worker: { stickyTimeoutMs: 5 } },
    { OSTINATO_TASK_QUEUE: 'theirs', OSTINATO_DATA_DIR: '/theirs', OSTINATO_MODEL_ATTEMPTS: '9', OSTINATO_SHUTDOWN_GRACE: '1s' },
  );

  expect(config.taskQueue).toBe('mine');
  expect(config.dataDir).toBe('/theirs');
  expect(config.times.model).toMatchObject({ attempts: 1, heartbeatMs: 10_000 });
  expect(config.worker).toMatchObject({ stickyTimeoutMs: 5, shutdownGraceMs: 1000 });
});

test('a key never shows in what is printed of the settings', () => {
  const config = loadConfig(
    {},
    {
      OPENAI_API_KEY: 'sk-secret-1',
      TEMPORAL_API_KEY: 'sk-secret-2',
      K: 'sk-secret-3',
      OSTINATO_PROVIDERS: '{"other": {"baseURL": "http://localhost:1", "apiKeyEnv": "K"}}',
    },
  );

  expect(JSON.stringify(config) + inspect(config, { depth: 20, showHidden: true })).not.toContain('sk-secret');
});

describe('bad settings', () => {
  test('are all listed in one failure', () => {
    const problems = problemsOf({
      OSTINATO_MODEL_ATTEMPTS: '0',
      OSTINATO_TOOL_TOTAL_TIMEOUT: 'soon',
      OSTINATO_OPENAI_API: 'assistants',
      OPENAI_BASE_URL: 'localhost:8080',
      OSTINATO_MAX_CALLS_PER_SECOND: '-1',
      OSTINATO_PROVIDERS:
        '{"a b": {"baseURL": "nowhere", "apiKeyEnv": "MISSING"}, "c": {"baseURL": "http://localhost:1", "apiKeyEnv": "MISSING"}}',
    });

    expect(problems).toEqual([
      'OSTINATO_MAX_CALLS_PER_SECOND: "-1" is not a number above 0',
      'OPENAI_BASE_URL: expected an address that begins with http:// or https://',
      'OSTINATO_OPENAI_API: "assistants" is none of chat, responses',
      'OSTINATO_PROVIDERS: a b: a name is letters, digits, "_" and "-"',
      'OSTINATO_PROVIDERS: a b.baseURL: expected an address that begins with http:// or https://',
      'OSTINATO_PROVIDERS: c.apiKeyEnv: MISSING is not set; it has to hold the key of this provider',
      'OSTINATO_MODEL_ATTEMPTS: "0" is not a whole number from 1',
      'OSTINATO_TOOL_TOTAL_TIMEOUT: "soon" is not a span of time such as "90 seconds" or "5 minutes"',
    ]);
  });

  test('of code are listed too', () => {
    expect(problemsOf({}, { taskQueue: ' ', times: { tool: { attempts: 0 } }, worker: { maxConcurrentSteps: Number.NaN } })).toEqual([
      'taskQueue: must not be empty',
      'times.tool.attempts: 0 is not above 0',
      'worker.maxConcurrentSteps: NaN is not above 0',
    ]);
  });

  test.each(['10', '5 apples', '-5 seconds', '0s', 'x'.repeat(101)])('a span of time is not %s', (text) => {
    expect(problemsOf({ OSTINATO_HEARTBEAT_TIMEOUT: text })).toHaveLength(1);
  });

  test.each(['{"a": {"baseURL": "http://localhost:1", "apiKey": "sk-secret"}}', 'sk-secret', '["sk-secret"]', '{"a": "sk-secret"}'])(
    'a key in the document of providers is refused and not repeated: %s',
    (text) => {
      const problems = problemsOf({ OSTINATO_PROVIDERS: text });

      expect(problems).toHaveLength(1);
      expect(problems[0]).not.toContain('sk-secret');
    },
  );

  test('a key in an address is refused and not repeated', () => {
    const problems = problemsOf({ OPENAI_BASE_URL: 'https://user:sk-secret@models.example/v1' });

    expect(problems).toEqual([expect.stringMatching(/^OPENAI_BASE_URL: .*without a user or password/)]);
    expect(problems[0]).not.toContain('sk-secret');
  });
});

test('the table of settings can be printed: every setting once, with a meaning and a default', () => {
  expect(new Set(settings.map(({ name }) => name)).size).toBe(settings.length);
  expect(settings.filter((setting) => !setting.meaning || !setting.default)).toEqual([]);
});
