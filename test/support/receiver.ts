/** Who is told of requests by HTTP: a real server on this machine that does as a test wants, and remembers what it got. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Notice } from '../../src/index.js';

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  notice: Notice;
}

/** Answers, or never does. */
export type Reply = (received: Received, response: ServerResponse) => void;

export const accept: Reply = (_, response) => void response.writeHead(204).end();
export const status =
  (code: number, headers: { [name: string]: string } = {}): Reply =>
  (_, response) =>
    void response.writeHead(code, headers).end();
export const silence: Reply = () => undefined;

export interface Receiver extends AsyncDisposable {
  url: string;
  /** Everything so far, in the order in which it came. */
  got: Received[];
  /** What it does from now on. */
  reply: Reply;
  /** `request.opened question-1`, in order. */
  readonly types: string[];
}

export async function openReceiver(reply: Reply = accept): Promise<Receiver> {
  const got: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const received = { path: request.url ?? '', headers: request.headers, body, notice: parsed(body) };
      got.push(received);
      receiver.reply(received, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    got,
    reply,
    get types() {
      return got.map(({ notice }) => `${notice.type} ${notice.request.requestId}`);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

function parsed(body: string): Notice {
  return (body === '' ? {} : JSON.parse(body)) as Notice;
}
