import { expect, test } from 'vitest';
import { timeSkippingServer, temporalForTests } from '../support/servers.js';
test('slow', async () => {
  process.stdout.write(JSON.stringify(temporalForTests()) + process.env.TEMPORAL_CONFIG_FILE + ' ' + process.env.TEMPORAL_ADDRESS + '\n');
  await timeSkippingServer();
  await new Promise((r) => setTimeout(r, 25000));
  expect(1).toBe(1);
});
