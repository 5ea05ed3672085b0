/** Every environment variable that we read, as data for documentation and `--help`, and how one is read. Defaults come from this table. */
import { readFileSync } from 'node:fs';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { defaultTaskQueue } from './contract/names.js';
import { readKeys, type EncryptionKey } from './encryption/keys.js';

export interface Setting {
  /** The environment variable. */
  name: string;
  meaning: string;
  /** In the form in which it is set, or in (parentheses) what happens without it. */
  default: string;
}

export const settings = [
  {
    name: 'OSTINATO_TASK_QUEUE',
    meaning: 'Task queue of runs and workers. With the namespace it separates environments such as staging and production.',
    default: defaultTaskQueue,
  },
  {
    name: 'OSTINATO_DATA_DIR',
    meaning: 'Directory of the store and of the database of a Temporal server that Ostinato starts.',
    default: '.ostinato',
  },
  {
    name: 'OSTINATO_STORE_URL',
    meaning:
      'PostgreSQL database of the store, for processes on several machines: postgresql://user:password@host:5432/database?sslmode=verify-full.',
    default: '(a file in the data directory)',
  },
  {
    name: 'OSTINATO_ENCRYPTION_KEYS',
    meaning: 'Keys that what is said is encrypted with, in Temporal and in the store: id:key,id:key. The first encrypts, all decrypt.',
    default: '(nothing is encrypted)',
  },
  { name: 'OSTINATO_ENCRYPTION_KEYS_FILE', meaning: 'File that holds them instead, one a line.', default: '(none)' },
  {
    name: 'OSTINATO_CACHE_DIR',
    meaning: 'Directory of executables that were downloaded or built.',
    default: '(XDG_CACHE_HOME/ostinato, else ~/.cache/ostinato)',
  },
  {
    name: 'OPENAI_API_KEY',
    meaning: 'Key of the default model provider.',
    default: '(with OPENAI_BASE_URL also unset: the built-in stand-in)',
  },
  { name: 'OPENAI_BASE_URL', meaning: 'Endpoint of the default model provider, any that is OpenAI-compatible.', default: '(OpenAI)' },
  { name: 'OSTINATO_OPENAI_API', meaning: 'API that the default provider is called by: chat or responses.', default: 'chat' },
  { name: 'OSTINATO_MODEL', meaning: 'Model of agents that name none.', default: 'gpt-5-mini' },
  {
    name: 'OSTINATO_PROVIDERS',
    meaning:
      'Further model providers, as JSON: {"name": {"baseURL": "https://…", "apiKeyEnv": "VARIABLE_WITH_ITS_KEY", "api": "chat", "maxCallsPerSecond": 5, "maxConcurrentCalls": 10}}. Agents use them as name/model.',
    default: '(none)',
  },
  {
    name: 'OSTINATO_MAX_CALLS_PER_SECOND',
    meaning: 'Model calls started per second on the default provider, all workers together.',
    default: '(no limit)',
  },
  {
    name: 'OSTINATO_MAX_CONCURRENT_CALLS',
    meaning: 'Model calls at the same time on the default provider, all workers together.',
    default: '(no limit)',
  },
  { name: 'OSTINATO_MODEL_ATTEMPT_TIMEOUT', meaning: 'Longest time of one attempt at a model call.', default: '5 minutes' },
  { name: 'OSTINATO_MODEL_ATTEMPTS', meaning: 'Attempts at a model call.', default: '6' },
  {
    name: 'OSTINATO_MODEL_TOTAL_TIMEOUT',
    meaning: 'Longest time of a model call, all attempts and pauses together.',
    default: '30 minutes',
  },
  {
    name: 'OSTINATO_TOOL_ATTEMPT_TIMEOUT',
    meaning: 'Longest time of one attempt at a tool call, unless the tool says otherwise.',
    default: '5 minutes',
  },
  { name: 'OSTINATO_TOOL_ATTEMPTS', meaning: 'Attempts at a tool call, unless the tool says otherwise.', default: '6' },
  { name: 'OSTINATO_TOOL_TOTAL_TIMEOUT', meaning: 'Longest time of a tool call, all attempts and pauses together.', default: '30 minutes' },
  {
    name: 'OSTINATO_HEARTBEAT_TIMEOUT',
    meaning: 'A model or tool call whose worker has been silent for so long is given to another worker.',
    default: '10 seconds',
  },
  {
    name: 'OSTINATO_KEEP_FINISHED',
    meaning:
      'Whether a run leaves a snapshot when it ends, so that it can be read and gone on with after Temporal has forgotten it: true or false.',
    default: 'true',
  },
  { name: 'OSTINATO_SHUTDOWN_GRACE', meaning: 'How long a worker that is asked to stop lets running calls finish.', default: '30 seconds' },
  {
    name: 'OSTINATO_STICKY_TIMEOUT',
    meaning: 'How long a run waits for the worker that knows it before any other may take over.',
    default: '10 seconds',
  },
  {
    name: 'OSTINATO_SLEEP_AFTER',
    meaning: 'After so long a wait for a person, a message or a run within, a run sleeps until something comes; never: it stays awake.',
    default: '1 hour',
  },
  { name: 'OSTINATO_MAX_CACHED_WORKFLOWS', meaning: 'Runs that a worker keeps in memory.', default: "(Temporal's choice, by memory)" },
  { name: 'OSTINATO_MAX_CONCURRENT_STEPS', meaning: 'Model and tool calls at the same time in one worker.', default: '500' },
  {
    name: 'OSTINATO_NOTIFY_URL',
    meaning: 'Address that is told of requests to people, by POST: see docs/people.md.',
    default: '(none)',
  },
  {
    name: 'OSTINATO_NOTIFY_SECRET',
    meaning: 'What that is signed with, as Standard Webhooks says: whsec_ and base64; several, separated by spaces, while one is changed.',
    default: '(not signed)',
  },
  { name: 'OSTINATO_NOTIFY_LINK', meaning: 'Page where people answer, with {run} and {request} in it.', default: '(none)' },
  {
    name: 'OSTINATO_EXPIRE_AFTER',
    meaning: 'Sessions are deleted so long after their last message, unless they or their agents say otherwise.',
    default: '(never)',
  },
  {
    name: 'OSTINATO_DELETION_GRACE',
    meaning: 'How long texts of a deleted session stay that nothing refers to any more; longer than your longest step, an hour at least.',
    default: '1 hour',
  },
  { name: 'OSTINATO_JANITOR_PERIOD', meaning: 'How often the janitor looks at its list when nothing is due.', default: '1 day' },
  {
    name: 'TEMPORAL_ADDRESS',
    meaning: 'Temporal server, host:port.',
    default: '(the server that Ostinato started in the data directory, else localhost:7233)',
  },
  { name: 'TEMPORAL_NAMESPACE', meaning: 'Temporal namespace.', default: 'default' },
  { name: 'TEMPORAL_API_KEY', meaning: 'API key of the Temporal server; turns TLS on.', default: '(none)' },
  {
    name: 'TEMPORAL_TLS',
    meaning: 'true for TLS. Certificates: TEMPORAL_TLS_CLIENT_CERT_PATH, TEMPORAL_TLS_CLIENT_KEY_PATH, TEMPORAL_TLS_SERVER_CA_CERT_PATH.',
    default: '(off, unless a key or certificate is set)',
  },
  { name: 'TEMPORAL_PROFILE', meaning: "Profile of Temporal's configuration file.", default: 'default' },
  {
    name: 'TEMPORAL_CONFIG_FILE',
    meaning: "Temporal's configuration file.",
    default: '(temporalio/temporal.toml in the configuration directory)',
  },
] as const satisfies readonly Setting[];

export type SettingName = (typeof settings)[number]['name'];

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads settings by name and collects what is wrong with them. No value is repeated that could be a secret. */
export class SettingsReader {
  constructor(
    private readonly env: Environment,
    private readonly problems: string[],
  ) {}

  problem(text: string): void {
    this.problems.push(text);
  }

  /** An empty variable is an unset one. */
  variable(name: string): string | undefined {
    return this.env[name]?.trim() || undefined;
  }

  given(name: SettingName): string | undefined {
    return this.variable(name);
  }

  text(name: SettingName): string {
    return this.given(name) ?? defaultOf(name);
  }

  /** In milliseconds. */
  span(name: SettingName): number {
    return this.optionalSpan(name) ?? parseSpan(defaultOf(name)) ?? 0;
  }

  optionalSpan(name: SettingName): number | undefined {
    const given = this.given(name);
    const ms = given === undefined ? undefined : parseSpan(given);
    if (given !== undefined && ms === undefined)
      this.problem(`${name}: "${given}" is not a span of time such as "90 seconds" or "5 minutes"`);
    return ms;
  }

  /** `null`: never. */
  spanOrNever(name: SettingName): number | null {
    return this.given(name) === 'never' ? null : this.span(name);
  }

  count(name: SettingName): number {
    return this.optionalCount(name) ?? Number(defaultOf(name));
  }

  optionalCount(name: SettingName): number | undefined {
    return this.#number(name, 'a whole number from 1', (value) => Number.isSafeInteger(value));
  }

  optionalNumber(name: SettingName): number | undefined {
    return this.#number(name, 'a number above 0', Number.isFinite);
  }

  choice<T extends string>(name: SettingName, choices: readonly [T, ...T[]]): T {
    const text = this.text(name);
    const choice = choices.find((one) => one === text);
    if (choice === undefined) this.problem(`${name}: "${text}" is none of ${choices.join(', ')}`);
    return choice ?? choices[0];
  }

  url(name: SettingName): string | undefined {
    const text = this.given(name);
    const expected = text && problemOfUrl(text);
    if (expected) this.problem(`${name}: expected ${expected}`);
    return text;
  }

  /** Of a database. It may hold a password: it is not repeated. */
  databaseUrl(name: SettingName, given = this.given(name)): string | undefined {
    if (given !== undefined && !/^postgres(ql)?:\/\/./.test(given)) {
      this.problem(`${name}: expected an address that begins with postgresql:// or postgres://`);
    }
    return given;
  }

  /** They are not repeated. */
  encryptionKeys(given = this.given('OSTINATO_ENCRYPTION_KEYS')): EncryptionKey[] {
    const path = this.given('OSTINATO_ENCRYPTION_KEYS_FILE');
    if (given !== undefined && path !== undefined)
      this.problem('OSTINATO_ENCRYPTION_KEYS and OSTINATO_ENCRYPTION_KEYS_FILE: set one of them');
    const [name, text] = given !== undefined ? ['OSTINATO_ENCRYPTION_KEYS', given] : ['OSTINATO_ENCRYPTION_KEYS_FILE', this.#file(path)];
    return text === undefined ? [] : readKeys(text, (problem) => this.problem(`${name}: ${problem}`));
  }

  #file(path: string | undefined): string | undefined {
    try {
      return path === undefined ? undefined : readFileSync(path, 'utf8');
    } catch (error) {
      this.problem(`OSTINATO_ENCRYPTION_KEYS_FILE: "${path}" cannot be read (${(error as NodeJS.ErrnoException).code})`);
      return undefined;
    }
  }

  /** A JSON object. */
  document(name: SettingName): { [member: string]: unknown } {
    const text = this.given(name);
    if (text === undefined) return {};
    try {
      const document: unknown = JSON.parse(text);
      if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document as { [member: string]: unknown };
    } catch {
      // The parser's words repeat the text, which may hold a key by mistake.
    }
    this.problem(`${name}: expected a JSON object, see the table of settings`);
    return {};
  }

  #number(name: SettingName, expected: string, accept: (value: number) => boolean): number | undefined {
    const given = this.given(name);
    if (given === undefined) return undefined;
    const value = Number(given);
    if (value > 0 && accept(value)) return value;
    this.problem(`${name}: "${given}" is not ${expected}`);
    return undefined;
  }
}

/** `undefined` when it is not a span, or has no unit: a bare `10` would be read as milliseconds by some and seconds by others. */
function parseSpan(text: string): number | undefined {
  if (!/[a-z]\s*$/i.test(text)) return undefined;
  try {
    const ms = msToNumber(text as Parameters<typeof msToNumber>[0]);
    return ms >= 1 ? Math.round(ms) : undefined;
  } catch {
    return undefined;
  }
}

/** What was expected instead; `undefined` when it can be used. */
export function problemOfUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return 'an address that begins with http:// or https://';
  return url.username || url.password ? 'an address without a user or password in it; a key goes into a variable of its own' : undefined;
}

function defaultOf(name: SettingName): string {
  return settings.find((setting) => setting.name === name)?.default ?? '';
}
