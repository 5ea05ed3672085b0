/** A worker in a process of its own, so that what it weighs can be seen. Reports its memory when it is asked. */
import { NativeConnection } from '@temporalio/worker';
import { loadConfig } from '../src/config.js';
import { startWorker } from '../src/worker.js';
import { instantModel } from './support.js';

const [address, dataDir] = process.argv.slice(2) as [string, string];
const config = loadConfig({ address, dataDir });
const connection = await NativeConnection.connect({ address });
const worker = await startWorker({
  config,
  connection,
  providers: {
    default: instantModel(() => ({ role: 'assistant', contents: [{ $type: 'text', text: 'Here I am.' }] })),
    defaultModel: 'instant',
  },
});
process.on('message', () => {
  (globalThis as { gc?: () => void }).gc?.();
  process.send!(process.memoryUsage().rss);
});
process.once('SIGTERM', () => {
  void worker.stop().then(() => process.exit());
});
process.send!('working');
