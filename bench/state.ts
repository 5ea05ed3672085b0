/**
 * What saving costs: bytes written and time of save, load, rollback, export and import, by the length of the conversation. Saving has to be
 * flat in the old part; moving everything cannot be.
 *
 *   npm run bench:state                    100, 1,000 and 10,000 messages
 *   npm run bench:state -- --short         without the 10,000
 */
import { NativeConnection } from '@temporalio/worker';
import { connect, type OstinatoClient } from '../src/client.js';
import { jsonBytes } from '../src/contract/size.js';
import { openStore } from '../src/store/open-store.js';
import type { Store } from '../src/store/store.js';
import { bundleWorkflows, startWorker } from '../src/worker.js';
import { instantModel, kb, openBench, words } from './support.js';

const messageBytes = 1000;
const repeats = 5;

const bench = await openBench();
try {
  const bundle = await bundleWorkflows();
  const rows = [];
  for (const messages of process.argv.includes('--short') ? [100, 1000] : [100, 1000, 10_000]) rows.push(await measure(bundle, messages));
  console.table(rows);
} finally {
  await bench.close();
}

async function measure(workflowBundle: { code: string }, messages: number) {
  const config = { ...bench.config, taskQueue: `state-${messages}` };
  const environment = { namespace: bench.client.options.namespace, taskQueue: config.taskQueue };
  const store = await openStore({ dataDir: config.dataDir, environment });
  const written = counting(store);
  const connection = await NativeConnection.connect({ address: bench.address });
  const worker = await startWorker({
    config,
    connection,
    store: written.store,
    providers: {
      default: instantModel(() => ({ role: 'assistant', contents: [{ $type: 'text', text: 'Here.' }] })),
      defaultModel: 'instant',
    },
    workflowBundle,
  });
  const client = await connect({ config, temporal: bench.client, store });
  try {
    const clerk = { name: 'clerk', instructions: 'Answer.' };
    const session = client.session(clerk, `long-${messages}`, { states: { clerk: await client.importAgentState(documentOf(messages)) } });
    await session.say('Go on.');
    const saves = [];
    for (let i = 0; i < repeats; i++) {
      await session.say(words(messageBytes, i));
      written.reset();
      const saved = await timed(() => session.save());
      saves.push({ ms: saved.ms, bytes: written.bytes(), id: saved.value.snapshotId });
    }
    const { id } = saves[0] as { id: string };
    const load = await timed(async () => {
      const run = await client.load(id);
      await run.say('Still there?');
    });
    const again = await timed(() => session.say('Still there?'));
    const rollback = await timed(() => session.rollback({ snapshotId: id }));
    const exported = await timed(() => client.export(id));
    const text = JSON.stringify(exported.value);
    const imported = await timed(async () => await importElsewhere(config, text));
    return {
      messages,
      'saved, KB': kb(median(saves.map(({ bytes }) => bytes))),
      'save, ms': Math.round(median(saves.map(({ ms }) => ms))),
      'load and say / say': (load.ms / again.ms).toFixed(1),
      'rollback, ms': Math.round(rollback.ms),
      'export, ms': Math.round(exported.ms),
      'import, ms': Math.round(imported.ms),
      'document, KB': kb(jsonBytes(text)),
    };
  } finally {
    await worker.stop();
    await client.close();
    await connection.close();
    await store.close();
  }
}

async function importElsewhere(config: typeof bench.config, text: string): Promise<void> {
  const environment = { namespace: 'elsewhere', taskQueue: `${Math.random()}` };
  const store = await openStore({ dataDir: config.dataDir, environment });
  const client: OstinatoClient = await connect({ config: { ...config, taskQueue: environment.taskQueue }, temporal: bench.client, store });
  await client.import(text);
  await store.close();
}

/** A conversation that was held elsewhere: the quickest way to a long one. */
function documentOf(messages: number): string {
  const entry = (i: number) => ({
    $type: i % 2 === 0 ? 'request' : 'response',
    correlationId: `turn-${Math.floor(i / 2)}`,
    createdAt: '2026-01-01T00:00:00+00:00',
    messages: [{ role: i % 2 === 0 ? 'user' : 'assistant', contents: [{ $type: 'text', text: words(messageBytes, i) }] }],
  });
  return JSON.stringify({ schemaVersion: '1.1.0', data: { conversationHistory: Array.from({ length: messages }, (_, i) => entry(i)) } });
}

function counting(store: Store) {
  let sum = 0;
  const put = async (text: string) => {
    sum += Buffer.byteLength(text);
    return await store.blobs.put(text);
  };
  const { blobs } = store;
  return {
    store: { ...store, blobs: { put, get: (id: string) => blobs.get(id), collect: blobs.collect.bind(blobs) } } as Store,
    bytes: () => sum,
    reset: () => (sum = 0),
  };
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const began = performance.now();
  return { value: await work(), ms: performance.now() - began };
}

function median(numbers: number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;
}
