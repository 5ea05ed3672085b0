/** What a process is told by its environment: the only reader of `process.env`. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { StepTime, StepTimes } from './contract/step.js';
import { fail } from './contract/failure.js';
import type { EncryptionKey } from './encryption/keys.js';
import { readSecrets } from './notify/secrets.js';
import { problemOfUrl, SettingsReader, type Environment } from './settings.js';

export { settings, type Environment, type Setting } from './settings.js';

export interface Config {
  readonly taskQueue: string;
  /** Absolute. */
  readonly dataDir: string;
  /** PostgreSQL database of the store; `undefined`: a file in `dataDir`. A function, so that no password is ever printed. */
  storeUrl(): string | undefined;
  /** The first encrypts, all decrypt; none: nothing is encrypted. A function, so that no key is ever printed. */
  encryptionKeys(): readonly EncryptionKey[];
  /** Absolute. */
  readonly cacheDir: string;
  /** Temporal server named in code: wins over `TEMPORAL_ADDRESS` and profiles. */
  readonly address?: string;
  /** Namespace named in code: wins over `TEMPORAL_NAMESPACE` and profiles. */
  readonly namespace?: string;
  readonly providers: ProvidersConfig;
  readonly times: StepTimes;
  readonly worker: WorkerConfig;
  /** Runs leave a snapshot when they end. */
  readonly keepFinished: boolean;
  /** Of sessions whose agent and options do not say. Absent: never. */
  readonly expireAfterMs?: number;
  readonly janitor: { readonly graceMs: number; readonly periodMs: number };
  readonly notify: NotifyConfig;
  /** What the settings were read from: for Temporal's own settings and for child processes. A function, so that no key is ever printed. */
  env(): Environment;
}

/** Who is told of requests to people. */
export interface NotifyConfig {
  /** A function, so that neither the address, which may hold a key, nor a secret is ever printed. */
  webhook(): { url: string; secrets: readonly Uint8Array[] } | undefined;
  /** Page where people answer, with `{run}` and `{request}` in it. */
  readonly link?: string;
}

export interface ProvidersConfig {
  /** Absent: neither a key nor an endpoint is set, the built-in stand-in speaks. */
  readonly default?: ProviderConfig;
  readonly named: { readonly [name: string]: ProviderConfig };
  /** Limits of the default provider, whichever it is. */
  readonly limits: ProviderLimits;
  readonly defaultModel: string;
}

/** An OpenAI-compatible endpoint. */
export interface ProviderConfig extends ProviderLimits {
  /** Absent: OpenAI. */
  readonly baseURL?: string;
  readonly api: OpenAIApi;
  /** Empty for endpoints that want none. A function, so that it is never printed. */
  apiKey(): string;
}

export interface ProviderLimits {
  /** Calls started per second, all workers together. */
  readonly maxCallsPerSecond?: number;
  /** Calls at the same time, all workers together. */
  readonly maxConcurrentCalls?: number;
}

export type OpenAIApi = 'chat' | 'responses';

export interface WorkerConfig {
  readonly shutdownGraceMs: number;
  readonly stickyTimeoutMs: number;
  /** Absent: Temporal chooses by memory. */
  readonly maxCachedWorkflows?: number;
  readonly maxConcurrentSteps: number;
  /** After so long a wait runs sleep, unless they say otherwise; `null`: never. */
  readonly sleepAfterMs: number | null;
}

/** What code may set; the rest comes from the environment. */
export interface ConfigOverrides {
  taskQueue?: string;
  dataDir?: string;
  storeUrl?: string;
  /** As in `OSTINATO_ENCRYPTION_KEYS`. */
  encryptionKeys?: string;
  cacheDir?: string;
  address?: string;
  namespace?: string;
  defaultModel?: string;
  times?: { model?: Partial<StepTime>; tool?: Partial<StepTime> };
  worker?: Partial<WorkerConfig>;
  keepFinished?: boolean;
  expireAfterMs?: number;
  janitor?: Partial<Config['janitor']>;
  notify?: { url?: string; secret?: string; link?: string };
}

/**
 * Reads and checks all settings.
 *
 * @throws `Input.Invalid`, with every problem listed in `details`
 */
export function loadConfig(overrides: ConfigOverrides = {}, env: Environment = process.env): Config {
  const problems: string[] = [];
  const read = new SettingsReader(env, problems);
  const limits: ProviderLimits = {
    maxCallsPerSecond: read.optionalNumber('OSTINATO_MAX_CALLS_PER_SECOND'),
    maxConcurrentCalls: read.optionalCount('OSTINATO_MAX_CONCURRENT_CALLS'),
  };
  const heartbeatMs = read.span('OSTINATO_HEARTBEAT_TIMEOUT');
  const storeUrl = read.databaseUrl('OSTINATO_STORE_URL', overrides.storeUrl);
  const encryptionKeys = read.encryptionKeys(overrides.encryptionKeys);
  if (read.span('OSTINATO_DELETION_GRACE') < shortestGraceMs) read.problem('OSTINATO_DELETION_GRACE: must be an hour at least');
  const config: Config = {
    taskQueue: overrides.taskQueue ?? read.text('OSTINATO_TASK_QUEUE'),
    dataDir: resolve(overrides.dataDir ?? read.text('OSTINATO_DATA_DIR')),
    storeUrl: () => storeUrl,
    encryptionKeys: () => encryptionKeys,
    cacheDir: resolve(
      overrides.cacheDir ??
        read.given('OSTINATO_CACHE_DIR') ??
        join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'ostinato'),
    ),
    address: overrides.address,
    namespace: overrides.namespace,
    providers: {
      default: defaultProvider(read, limits),
      named: namedProviders(read),
      limits,
      defaultModel: overrides.defaultModel ?? read.text('OSTINATO_MODEL'),
    },
    times: {
      model: {
        attemptMs: read.span('OSTINATO_MODEL_ATTEMPT_TIMEOUT'),
        attempts: read.count('OSTINATO_MODEL_ATTEMPTS'),
        totalMs: read.span('OSTINATO_MODEL_TOTAL_TIMEOUT'),
        heartbeatMs,
        ...defined(overrides.times?.model),
      },
      tool: {
        attemptMs: read.span('OSTINATO_TOOL_ATTEMPT_TIMEOUT'),
        attempts: read.count('OSTINATO_TOOL_ATTEMPTS'),
        totalMs: read.span('OSTINATO_TOOL_TOTAL_TIMEOUT'),
        heartbeatMs,
        ...defined(overrides.times?.tool),
      },
    },
    worker: {
      shutdownGraceMs: read.span('OSTINATO_SHUTDOWN_GRACE'),
      stickyTimeoutMs: read.span('OSTINATO_STICKY_TIMEOUT'),
      maxCachedWorkflows: read.optionalCount('OSTINATO_MAX_CACHED_WORKFLOWS'),
      maxConcurrentSteps: read.count('OSTINATO_MAX_CONCURRENT_STEPS'),
      sleepAfterMs: read.spanOrNever('OSTINATO_SLEEP_AFTER'),
      ...defined(overrides.worker),
    },
    keepFinished: overrides.keepFinished ?? read.choice('OSTINATO_KEEP_FINISHED', ['true', 'false']) === 'true',
    ...defined({ expireAfterMs: overrides.expireAfterMs ?? read.optionalSpan('OSTINATO_EXPIRE_AFTER') }),
    janitor: {
      graceMs: read.span('OSTINATO_DELETION_GRACE'),
      periodMs: read.span('OSTINATO_JANITOR_PERIOD'),
      ...defined(overrides.janitor),
    },
    notify: notifyConfig(read, overrides.notify ?? {}),
    env: () => env,
  };
  problems.push(...problemsOfOverrides(overrides));
  if (problems.length > 0) {
    throw fail(
      'Input.Invalid',
      `Some settings cannot be used. Correct them and start again:\n${problems.map((p) => `- ${p}`).join('\n')}`,
      {
        details: problems,
      },
    );
  }
  return deepFreeze(config);
}

/** Neither the address nor a secret is repeated in what is wrong with it. */
function notifyConfig(read: SettingsReader, overrides: NonNullable<ConfigOverrides['notify']>): NotifyConfig {
  const { url = read.given('OSTINATO_NOTIFY_URL'), secret = read.given('OSTINATO_NOTIFY_SECRET') } = overrides;
  const { link = read.given('OSTINATO_NOTIFY_LINK') } = overrides;
  const check = (name: string, text: string | undefined) => {
    const expected = text === undefined ? undefined : problemOfUrl(text.replaceAll(/\{(run|request)\}/g, 'x'));
    if (expected) read.problem(`${name}: expected ${expected}`);
  };
  check('OSTINATO_NOTIFY_URL', url);
  check('OSTINATO_NOTIFY_LINK', link);
  const secrets = readSecrets(secret ?? '', (problem) => read.problem(`OSTINATO_NOTIFY_SECRET: ${problem}`));
  return { webhook: () => (url === undefined ? undefined : { url, secrets }), ...(link !== undefined && { link }) };
}

/** A step in flight may have written what nothing refers to yet. */
const shortestGraceMs = 3600 * 1000;

function defaultProvider(read: SettingsReader, limits: ProviderLimits): ProviderConfig | undefined {
  const key = read.given('OPENAI_API_KEY') ?? '';
  const baseURL = read.url('OPENAI_BASE_URL');
  const api = read.choice('OSTINATO_OPENAI_API', ['chat', 'responses']);
  return key === '' && baseURL === undefined ? undefined : { ...limits, baseURL, api, apiKey: () => key };
}

const endpoint = z
  .string()
  .refine((text) => problemOfUrl(text) === undefined, { error: ({ input }) => `expected ${problemOfUrl(String(input))}`, abort: true });

const namedProvider = z.strictObject({
  baseURL: endpoint,
  apiKeyEnv: z.string().min(1).optional(),
  api: z.enum(['chat', 'responses']).default('chat'),
  maxCallsPerSecond: z.number().positive().optional(),
  maxConcurrentCalls: z.int().positive().optional(),
});

function namedProviders(read: SettingsReader): { [name: string]: ProviderConfig } {
  const named: { [name: string]: ProviderConfig } = {};
  for (const [name, value] of Object.entries(read.document('OSTINATO_PROVIDERS'))) {
    const at = `OSTINATO_PROVIDERS: ${name}`;
    if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name)) read.problem(`${at}: a name is letters, digits, "_" and "-"`);
    const { success, data, error } = namedProvider.safeParse(value);
    if (!success) {
      for (const { path, message } of error.issues) read.problem(`${at}${path.map((part) => `.${String(part)}`).join('')}: ${message}`);
      continue;
    }
    const { apiKeyEnv, ...provider } = data;
    const key = apiKeyEnv === undefined ? '' : read.variable(apiKeyEnv);
    if (key === undefined) read.problem(`${at}.apiKeyEnv: ${apiKeyEnv} is not set; it has to hold the key of this provider`);
    named[name] = { ...provider, apiKey: () => key ?? '' };
  }
  return named;
}

/** A worker may keep no runs in memory: then each step finds a run as a worker finds it that has never seen it. And runs may never sleep. */
function mayBeNone(name: string, value: number | null): boolean {
  return (name === 'worker.maxCachedWorkflows' && value === 0) || (name === 'worker.sleepAfterMs' && value === null);
}

function problemsOfOverrides({ times, worker, janitor, expireAfterMs, ...texts }: ConfigOverrides): string[] {
  const empty = Object.entries(texts).filter(([, value]) => typeof value === 'string' && value.trim() === '');
  const numbers = Object.entries({
    'times.model': times?.model,
    'times.tool': times?.tool,
    worker,
    janitor,
    '': { expireAfterMs },
  }).flatMap(([at, values]) => Object.entries(values ?? {}).map(([name, value]) => [`${at}.${name}`, value] as const));
  return [
    ...empty.map(([name]) => `${name}: must not be empty`),
    ...numbers
      .filter(([name, value]) => value !== undefined && !(value !== null && value > 0) && !mayBeNone(name, value))
      .map(([name, value]) => `${name}: ${value} is not above 0`),
  ];
}

/** Without members that are there but `undefined`: a flag that was not given does not unset anything. */
function defined<T extends object>(values: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) deepFreeze(part);
  return Object.freeze(value);
}
