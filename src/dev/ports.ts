/** Ports of this machine that nobody listens on. */
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The first of `preferred` that is free, else any other; `0` stands for any. */
export async function freePort(preferred: number[]): Promise<number> {
  for (const port of [...preferred, 0]) {
    const free = await tryPort(port);
    if (free !== undefined) return free;
  }
  throw new Error('This machine has no free port.');
}

/** Waits for a port whose listener is about to end. */
export async function untilFree(port: number, patienceMs: number): Promise<void> {
  for (const deadline = Date.now() + patienceMs; (await tryPort(port)) === undefined && Date.now() < deadline;) await sleep(50);
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const found = (server.address() as AddressInfo).port;
      server.close(() => resolve(found));
    });
  });
}
