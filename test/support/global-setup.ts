/**
 * What every test run needs, made once: both servers' executables, and one real Temporal server on free ports with a database of its
 * own. A server that cannot be had fails the run; no test is skipped for it.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { loadConfig } from '../../src/config.js';
import { isProcess } from '../../src/dev/process.js';
import { findOrStartServer } from '../../src/dev/server.js';
import { readServerRecord } from '../../src/dev/server-record.js';
import { findTestServer } from '../../src/dev/test-server.js';
import { build } from './built.js';

/** Of the run's real server, and where the executables are. */
export interface TemporalForTests {
  address: string;
  namespace: string;
  uiUrl: string;
  cacheDir: string;
  /** Executable of the time-skipping server. */
  testServer: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    temporal: TemporalForTests;
  }
}

const closing: (() => unknown)[] = [];

export async function setup(project: TestProject): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ostinato-tests-'));
  closing.unshift(() => rmSync(directory, { recursive: true, force: true }));
  try {
    forgetSettings(directory);
    build();
    const config = loadConfig({ dataDir: join(directory, 'data') });
    const { cacheDir } = config;
    const onProgress = quietAtFirst();
    const testServer = noteTestServers(directory, await findTestServer({ cacheDir, env: config.env(), onProgress }));
    const server = await findOrStartServer({ config, ports: { server: 0, ui: 0 }, onProgress });
    closeAtOnce(readServerRecord(config.dataDir)!.pid, directory);
    closing.unshift(server.stop, () => endTestServers(directory));
    const { address, namespace } = server;
    project.provide('temporal', { address, namespace, uiUrl: server.uiUrl!, cacheDir, testServer });
  } catch (error) {
    await teardown();
    throw error;
  }
}

export async function teardown(): Promise<void> {
  for (const close of closing.splice(0)) await close();
}

/** Also when this process is asked to end: then nothing that takes time is done any more. */
function closeAtOnce(pid: number, directory: string): void {
  const close = (): void => {
    if (isProcess(pid, directory)) process.kill(pid, 'SIGKILL');
    endTestServers(directory);
    rmSync(directory, { recursive: true, force: true });
  };
  const onSignal = (signal: NodeJS.Signals): void => process.exit(128 + constants.signals[signal]);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  process.once('exit', close);
  for (const signal of signals) process.once(signal, onSignal);
  closing.unshift(() => {
    process.off('exit', close);
    for (const signal of signals) process.off(signal, onSignal);
  });
}

/** What tests do must not depend on the settings of the person who runs them. */
function forgetSettings(directory: string): void {
  for (const name of Object.keys(process.env)) {
    if (/^(TEMPORAL|OSTINATO|OPENAI)_/.test(name) && name !== 'OSTINATO_CACHE_DIR') delete process.env[name];
  }
  process.env.TEMPORAL_CONFIG_FILE = join(directory, 'none.toml');
}

/** Wraps the executable so that each server it becomes is written down: a test process that dies leaves its server behind. */
function noteTestServers(directory: string, executable: string): string {
  const pids = join(directory, 'test-servers');
  const wrapper = join(directory, 'test-server');
  mkdirSync(pids);
  writeFileSync(wrapper, `#!/bin/sh\n: > "${pids}/$$"\nexec "${executable}" "$@"\n`, { mode: 0o755 });
  return wrapper;
}

function endTestServers(directory: string): void {
  for (const file of readdirSync(join(directory, 'test-servers'))) {
    if (isProcess(Number(file), 'temporal-test-server')) process.kill(Number(file), 'SIGKILL');
  }
}

/** Nothing is said about what takes less than a second or two. */
function quietAtFirst(): (message: string) => void {
  const started = Date.now();
  return (message) => {
    if (Date.now() - started > 1500) process.stderr.write(`${message}\n`);
  };
}
