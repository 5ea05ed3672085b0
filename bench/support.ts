/** What the benchmarks share: a real dev server of their own, an in-process model without latency, and the size of histories. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { DefaultLogger, Runtime, type NativeConnection } from '@temporalio/worker';
import { loadConfig, type Config } from '../src/config.js';
import { connectClient } from '../src/connection.js';
import { findOrStartServer } from '../src/dev/server.js';
import type { ModelProvider, ModelRequest, ModelResponse } from '../src/llm/provider.js';

export interface Bench {
  config: Config;
  client: Client;
  address: string;
  close(): Promise<void>;
}

/** A server with an empty database, ended with the benchmark. */
export async function openBench(): Promise<Bench> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
  const dataDir = await mkdtemp(join(tmpdir(), 'ostinato-bench-'));
  const config = loadConfig({ dataDir });
  const server = await findOrStartServer({ config, onProgress: (text) => console.error(text) });
  const connected = await connectClient(loadConfig({ dataDir, address: server.address }));
  return {
    config: loadConfig({ dataDir, address: server.address }),
    client: new Client({ connection: connected.connection, namespace: connected.namespace }),
    address: server.address,
    async close() {
      await connected.connection.close();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A model in this process that answers at once. */
export function instantModel(answer: (request: ModelRequest, call: number) => ModelResponse['message']): ModelProvider {
  let calls = 0;
  return {
    complete: async (request) => {
      calls += 1;
      return {
        message: answer(request, calls),
        facts: { model: 'instant', finishReason: 'stop', usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0, modelCalls: 1 } },
      };
    },
  };
}

/** Told of every query that a worker sends. */
export function onQuery({ workflowService }: NativeConnection, told: () => void): void {
  const query = workflowService.queryWorkflow.bind(workflowService);
  workflowService.queryWorkflow = ((...args: Parameters<typeof query>) => {
    told();
    return query(...args);
  }) as typeof query;
}

export interface HistorySize {
  bytes: number;
  events: number;
  /** Executions of the chain: one more than continue-as-news. */
  executions: number;
}

/** Bytes of the histories of a whole continue-as-new chain, as the server counts them. */
export async function historySize(client: Client, workflowId: string, firstRunId: string): Promise<HistorySize> {
  const size: HistorySize = { bytes: 0, events: 0, executions: 0 };
  let runId: string | undefined = firstRunId;
  while (runId) {
    const { historySize: bytes = 0, historyLength } = await client.workflow.getHandle(workflowId, runId).describe();
    size.executions += 1;
    size.events += historyLength;
    size.bytes += bytes;
    runId = await nextRun(client, workflowId, runId);
  }
  return size;
}

async function nextRun({ workflowService, options }: Client, workflowId: string, runId: string): Promise<string | undefined> {
  const execution = { workflowId, runId };
  const page = await workflowService.getWorkflowExecutionHistoryReverse({ namespace: options.namespace, execution, maximumPageSize: 1 });
  return page.history?.events?.[0]?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
}

/** Deterministic text that does not repeat itself. */
export function words(bytes: number, seed: number): string {
  let state = seed + 1;
  let text = '';
  while (text.length < bytes) {
    state = (state * 1103515245 + 12345) % 2147483648;
    text += `${state.toString(36)} `;
  }
  return text.slice(0, bytes);
}

export function kb(bytes: number): string {
  return `${(bytes / 1024).toFixed(0)} KB`;
}
