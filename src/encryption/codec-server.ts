/** Temporal's remote codec, for its web pages and its command: the browser or the command of this machine asks here to encrypt and decrypt. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Payload } from '@temporalio/common';
import { fail, failureOf } from '../contract/failure.js';
import type { Cipher } from './cipher.js';
import { EncryptionCodec } from './codec.js';

export interface CodecServerOptions {
  /** 0: any that is free. */
  port: number;
  /** Web pages that may ask, such as `http://localhost:8233`. Without an origin it is no browser. */
  origins: readonly string[];
}

export interface CodecServer {
  url: string;
  close(): Promise<void>;
}

/** Bytes. More than Temporal's server hands out at once. */
const longestBody = 16 * 1024 * 1024;

/**
 * Listens on this machine alone: whoever may ask can read everything.
 *
 * @throws `Input.Invalid` when the port is taken
 */
export async function startCodecServer(cipher: Cipher, { port, origins }: CodecServerOptions): Promise<CodecServer> {
  const codec = new EncryptionCodec(cipher);
  const server = createServer((request, response) => void answer(codec, origins, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(fail('Input.Invalid', `No codec server can listen on port ${port} (${cause.code}). Choose another with --port.`, { cause })),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  codec: EncryptionCodec,
  origins: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { origin } = request.headers;
  const send = (status: number, body?: object): void => {
    // What was not read to its end would be taken for the next request.
    if (!request.complete) response.setHeader('connection', 'close');
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', vary: 'origin' });
    response.end(body && JSON.stringify(body));
  };
  try {
    if (origin !== undefined && !origins.includes(origin)) {
      const message = `Pages of "${origin.slice(0, 200)}" may not ask here. Name it with --origin if it is the address of Temporal's web pages.`;
      return send(403, { error: { type: 'Input.Invalid', message } });
    }
    if (origin !== undefined) {
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-allow-methods', 'POST');
      response.setHeader('access-control-allow-headers', 'content-type, x-namespace, authorization');
    }
    if (request.method === 'OPTIONS') return send(204);
    const [, work] = /\/(encode|decode)$/.exec(new URL(request.url ?? '/', 'http://codec').pathname) ?? [];
    if (request.method !== 'POST' || work === undefined) {
      return send(404, { error: { type: 'Input.Invalid', message: 'Only POST /encode and POST /decode are known here.' } });
    }
    const payloads = payloadsIn(await readBody(request));
    // One that does not open stays as it is: the others are still read.
    const done = work === 'encode' ? await codec.encode(payloads) : payloads.map((payload) => codec.tryDecrypt(payload) ?? payload);
    send(200, { payloads: done.map(toJson) });
  } catch (error) {
    const { type, message } = failureOf(error);
    const status = { 'Input.Invalid': 400, 'Input.TooLarge': 413 }[type] ?? 500;
    send(status, {
      error: status === 500 ? { type, message: 'The codec server failed. Its payloads are left as they are.' } : { type, message },
    });
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestBody) throw fail('Input.TooLarge', `More than ${longestBody} bytes are not read at once. Ask for fewer payloads.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    // The parser's words repeat the text.
    throw fail(
      'Input.Invalid',
      'The body is not JSON. Send {"payloads": [{"metadata": {"encoding": "…"}, "data": "…"}]}, bytes in base64.',
    );
  }
}

function payloadsIn(body: unknown): Payload[] {
  // Of an empty list, Temporal's command writes nothing.
  const { payloads = [] } = (body ?? {}) as { payloads?: unknown };
  if (!Array.isArray(payloads)) throw fail('Input.Invalid', 'payloads: expected a list. Send {"payloads": […]}.');
  return payloads.map((payload: unknown, i) => {
    const { metadata = {}, data = '' } = (payload ?? {}) as { metadata?: unknown; data?: unknown };
    if (typeof metadata !== 'object' || metadata === null || typeof data !== 'string') {
      throw fail('Input.Invalid', `payloads[${i}]: expected an object with "metadata" and "data", bytes in base64.`);
    }
    const entries = Object.entries(metadata).map(([name, value]) => [name, Buffer.from(String(value), 'base64')] as const);
    return { metadata: Object.fromEntries(entries), data: Buffer.from(data, 'base64') };
  });
}

function toJson({ metadata, data }: Payload): object {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')] as const);
  return { metadata: Object.fromEntries(entries), data: Buffer.from(data ?? []).toString('base64') };
}
