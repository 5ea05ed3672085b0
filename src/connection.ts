/** Where the Temporal server is, and how to reach it: a failure says what was tried, why it failed, and what to do. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnection } from '@temporalio/worker';
import type { Config, Environment } from './config.js';
import { fail } from './contract/failure.js';
import { probe, reasonOf, type Credentials } from './connection-probe.js';
import { isRunning, ownRecord, recordFile } from './dev/server-record.js';

export interface Target {
  /** host:port */
  readonly address: string;
  readonly namespace: string;
  /** Who named the address: code, `TEMPORAL_ADDRESS`, a profile, the record of a server that we started, or nobody. */
  readonly source: 'code' | 'environment' | 'profile' | 'record' | 'default';
  /** The source, in words. */
  readonly origin: string;
  readonly tls: boolean;
  readonly apiKey: boolean;
  /** Web pages of a server that we started. */
  readonly uiUrl?: string;
  /** A function, so that keys and certificates are never printed. */
  options(): Credentials;
}

export interface Connected<C> {
  connection: C;
  namespace: string;
  address: string;
  source: Target['source'];
  uiUrl?: string;
}

export interface ConnectOptions {
  /** Bound of the whole attempt; a server that is just starting is waited for. @default 10000 */
  timeoutMs?: number;
}

/**
 * A connection for clients; close it after use.
 *
 * @throws `Connection.Failed`
 */
export async function connectClient(config: Config, options: ConnectOptions = {}): Promise<Connected<Connection>> {
  const target = resolveTarget(config);
  await checkTarget(target, options);
  return connected(target, Connection.lazy(target.options()));
}

/**
 * A connection for workers; close it after the last worker has stopped.
 *
 * @throws `Connection.Failed`
 */
export async function connectWorker(config: Config, options: ConnectOptions = {}): Promise<Connected<NativeConnection>> {
  const target = resolveTarget(config);
  await checkTarget(target, options);
  // Loads Temporal's native library, which clients do without.
  const { NativeConnection } = await import('@temporalio/worker');
  try {
    return connected(target, await NativeConnection.connect(target.options()));
  } catch (error) {
    throw connectionFailed(target, reasonOf(error, target));
  }
}

/** `TEMPORAL_*` and profiles win; then the server recorded in the data directory, if it runs; then localhost:7233. */
export function resolveTarget(config: Config): Target {
  return configuredTarget(config) ?? recordedTarget(config) ?? targetAt(config, 'localhost:7233', 'default', 'the default');
}

/** `undefined` when nobody has said where the server is. */
export function configuredTarget(config: Config): Target | undefined {
  if (config.address) return targetAt(config, config.address, 'code', 'given in code or on the command line');
  const { address } = temporalSettings(config).connectionOptions;
  if (!address) return undefined;
  const env = config.env();
  return env.TEMPORAL_ADDRESS
    ? targetAt(config, address, 'environment', 'from TEMPORAL_ADDRESS')
    : targetAt(config, address, 'profile', `from profile "${env.TEMPORAL_PROFILE || 'default'}" in ${profileFile(env)}`);
}

/**
 * Can this server be used: is it reachable, does it let us in, and does it know the namespace?
 *
 * @throws `Connection.Failed`
 */
export async function checkTarget(target: Target, { timeoutMs = 10_000 }: ConnectOptions = {}): Promise<void> {
  // Nobody chose the default address, so there is no reason to believe that a server is about to listen there.
  const outcome = await probe(target.options(), { namespace: target.namespace, timeoutMs, patient: target.source !== 'default' });
  if (outcome === 'ok') return;
  if (outcome === 'no namespace') {
    throw fail(
      'Connection.Failed',
      `The Temporal server at ${target.address} (${target.origin}) has no namespace "${target.namespace}". Create it with ` +
        `\`temporal operator namespace create --namespace ${target.namespace} --address ${target.address}\`, or correct TEMPORAL_NAMESPACE.`,
      { details: [facts(target, outcome)] },
    );
  }
  throw connectionFailed(target, outcome.reason);
}

/** From code, `TEMPORAL_NAMESPACE` or the profile; else `default`. */
export function namespaceOf(config: Config): string {
  return config.namespace ?? temporalSettings(config).namespace ?? 'default';
}

/** The page of a namespace, a workflow, or one run of it, in Temporal's web pages. */
export function temporalUiUrl(uiUrl: string, namespace: string, workflowId?: string, runId?: string): string {
  const path = [
    'namespaces',
    namespace,
    'workflows',
    ...(workflowId ? [workflowId] : []),
    ...(workflowId && runId ? [runId, 'history'] : []),
  ];
  return `${uiUrl.replace(/\/+$/, '')}/${path.map(encodeURIComponent).join('/')}`;
}

function recordedTarget(config: Config): Target | undefined {
  const record = ownRecord(config.dataDir);
  if (!record || !isRunning(record)) return undefined;
  const origin = `recorded in ${recordFile(config.dataDir)}, process ${record.pid}`;
  // It listens on this machine only and in plain text: a key meant for another server stays here.
  return {
    ...targetAt(config, record.address, 'record', origin),
    tls: false,
    apiKey: false,
    uiUrl: record.uiUrl,
    options: () => ({ address: record.address }),
  };
}

function targetAt(config: Config, address: string, source: Target['source'], origin: string): Target {
  const { tls, apiKey, metadata } = temporalSettings(config).connectionOptions;
  return {
    address,
    namespace: namespaceOf(config),
    source,
    origin,
    tls: Boolean(tls),
    apiKey: Boolean(apiKey),
    options: () => ({ address, tls, metadata, ...(apiKey && { apiKey }) }),
  };
}

function temporalSettings(config: Config) {
  const env = config.env();
  try {
    const { namespace, connectionOptions = {} } = loadClientConnectConfig({ overrideEnvVars: withoutEmpty(env) });
    return { namespace, connectionOptions: connectionOptions as Partial<Credentials> };
  } catch (error) {
    const message = (error as Error).message;
    throw fail(
      'Connection.Failed',
      `The settings of the Temporal connection cannot be read: ${message}. Correct the TEMPORAL_* variables or ${profileFile(env)}.`,
    );
  }
}

/** To Temporal's reader an empty variable is an address or a key; only gRPC headers are removed by an empty one. */
function withoutEmpty(env: Environment): Record<string, string> {
  const set = Object.entries(env).filter(([name, value]) => value || (value === '' && name.startsWith('TEMPORAL_GRPC_META_')));
  return Object.fromEntries(set) as Record<string, string>;
}

function profileFile(env: Environment): string {
  if (env.TEMPORAL_CONFIG_FILE) return env.TEMPORAL_CONFIG_FILE;
  const home = env.HOME || homedir();
  const directories: { [platform: string]: string | undefined } = { win32: env.APPDATA, darwin: join(home, 'Library/Application Support') };
  return join(directories[process.platform] ?? (env.XDG_CONFIG_HOME || join(home, '.config')), 'temporalio', 'temporal.toml');
}

function connected<C>({ namespace, address, source, uiUrl }: Target, connection: C): Connected<C> {
  return { connection, namespace, address, source, uiUrl };
}

function connectionFailed(target: Target, reason: string) {
  const { address, origin, namespace, tls, apiKey } = target;
  const tried = `${origin}; namespace "${namespace}", ${tls ? 'with' : 'no'} TLS, ${apiKey ? 'with an' : 'no'} API key`;
  return fail('Connection.Failed', `No Temporal server could be reached at ${address} (${tried}): ${reason}. ${advice(target)}`, {
    details: [facts(target, reason)],
  });
}

function advice({ source, origin }: Target): string {
  switch (source) {
    case 'default':
      return 'Start one with `npx ostinato dev`, or set TEMPORAL_ADDRESS.';
    case 'record':
      return `End that process and start the server again with \`npx ostinato dev\`; its database stays.`;
    default:
      return `Check that the server is up and that its address, ${origin}, is right.`;
  }
}

function facts({ address, source, namespace, tls, apiKey }: Target, reason: string) {
  return { address, source, namespace, tls, apiKey, reason };
}
