/**
 * An OpenAI-compatible HTTP server on this machine, around a function of ours: the stand-in and the scripted model speak through it, so
 * that the real client code always runs. Chat Completions and Responses, streaming and whole, and every way in which an endpoint fails.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fail } from '../contract/failure.js';
import type { Json, JsonObject } from '../contract/json.js';
import { parseChat, sendChat } from './http-model-chat.js';
import { parseResponses, sendResponse } from './http-model-responses.js';
import { HttpModelConnection } from './http-model-connection.js';

/** A request as it came, in one form for both APIs. */
export interface HttpModelRequest {
  api: 'chat' | 'responses';
  model: string;
  messages: HttpModelMessage[];
  tools: { name: string; description: string; parameters: JsonObject }[];
  /** `none`: it must answer without them. */
  toolChoice?: string;
  temperature?: number;
  maxOutputTokens?: number;
  outputSchema?: JsonObject;
  /** Lower-case names. */
  headers: { [name: string]: string };
  /** The parsed body, untouched. */
  body: JsonObject;
  /** Aborted when the client goes away. */
  signal: AbortSignal;
}

export interface HttpModelMessage {
  /** `system`, `user`, `assistant` or `tool`. */
  role: string;
  content: string;
  /** Tool calls of an assistant. */
  calls?: { id: string; name: string; arguments: string }[];
  /** Of a tool's result. */
  callId?: string;
}

/** What the model says. */
export interface HttpModelReply {
  text?: string;
  reasoning?: string;
  refusal?: string;
  /** Arguments as a string are sent as they are, so that they can be broken. */
  calls?: { name: string; arguments: JsonObject | string; id?: string }[];
  /** `null`: the endpoint sends none. @default counted from the characters */
  usage?: { inputTokens: number; outputTokens: number } | null;
  /** @default 'stop', or 'tool_calls' */
  finishReason?: string;
  /** @default the model asked for */
  model?: string;
  /** The text in these pieces. @default word by word */
  chunks?: string[];
  /** Between two pieces. @default 0 */
  delayMs?: number;
}

/** What an endpoint does instead of replying; with `text`, after it has said that much. */
export type HttpModelFault =
  | { status: number; headers?: { [name: string]: string }; body?: Json }
  | HttpModelBreak
  /** The body of a stream, byte for byte, each piece sent on its own. */
  | { raw: (string | Uint8Array)[]; delayMs?: number };

export type HttpModelBreak =
  /** Says nothing more until the client goes away. */
  | { hang: true; text?: string }
  /** Breaks the connection. */
  | { reset: true; text?: string }
  /** Ends the stream without a finish reason. */
  | { cut: true; text?: string };

export type HttpModelBrain = (request: HttpModelRequest) => HttpModelReply | HttpModelFault | Promise<HttpModelReply | HttpModelFault>;

export interface HttpModelOptions {
  /** @default a free one */
  port?: number;
  /** Names told by `GET /v1/models`. @default none */
  models?: string[];
}

export interface HttpModel {
  /** For any OpenAI client, `/v1` included. */
  baseURL: string;
  port: number;
  /** Stops listening and breaks off what is under way. */
  close(): Promise<void>;
}

/**
 * Serves a model on 127.0.0.1.
 *
 * @example
 * const model = await serveModel((request) => ({ text: `You said: ${request.messages.at(-1)?.content}` }));
 */
export async function serveModel(brain: HttpModelBrain, options: HttpModelOptions = {}): Promise<HttpModel> {
  const server = createServer((request, response) => {
    answer(brain, options, request, response).catch((error: unknown) => {
      if (response.destroyed) return;
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, problem(error instanceof Error ? error.message : String(error), 'server_error'));
    });
  });
  const port = await listen(server, options.port ?? 0);
  return {
    baseURL: `http://127.0.0.1:${port}/v1`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const apis = {
  '/v1/chat/completions': { parse: parseChat, send: sendChat },
  '/v1/responses': { parse: parseResponses, send: sendResponse },
};
const maxBodyBytes = 64 * 1024 * 1024;

async function answer(
  brain: HttpModelBrain,
  options: HttpModelOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const path = (incoming.url ?? '').split('?')[0] ?? '';
  if (path === '/v1/models')
    return sendJson(outgoing, 200, {
      object: 'list',
      data: (options.models ?? []).map((id) => ({ id, object: 'model', created: 0, owned_by: 'local' })),
    });
  const api = path in apis ? apis[path as keyof typeof apis] : undefined;
  if (!api) return sendJson(outgoing, 404, problem(`There is no ${path} here.`, 'not_found'));
  const body = await readBody(incoming);
  if (!body) return sendJson(outgoing, 400, problem('The body is not a JSON object.', 'invalid_json'));

  const connection = new HttpModelConnection(outgoing, body['stream'] === true);
  const request: HttpModelRequest = { ...api.parse(body), headers: headersOf(incoming), body, signal: connection.signal };
  const reply = await brain(request);
  if (connection.signal.aborted) return;
  if ('status' in reply) sendJson(outgoing, reply.status, reply.body ?? problem(`Status ${reply.status}.`), reply.headers);
  else if ('raw' in reply) await connection.raw(reply.raw, reply.delayMs ?? 0);
  else if ('hang' in reply || 'reset' in reply || 'cut' in reply) await misbehave(reply, api, request, connection);
  else await api.send(connection, request, reply);
}

async function misbehave(
  fault: HttpModelBreak,
  api: (typeof apis)[keyof typeof apis],
  request: HttpModelRequest,
  connection: HttpModelConnection,
) {
  if (fault.text !== undefined || 'cut' in fault) await api.send(connection, request, { text: fault.text ?? '' }, { open: true });
  if ('cut' in fault) connection.end();
  if ('reset' in fault) connection.reset();
  if ('hang' in fault) await connection.gone();
}

async function readBody(incoming: IncomingMessage): Promise<JsonObject | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of incoming as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > maxBodyBytes) return undefined;
    pieces.push(piece);
  }
  try {
    const body: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'));
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

function headersOf(incoming: IncomingMessage): { [name: string]: string } {
  return Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}

function problem(message: string, code: string | null = null): Json {
  return { error: { message, type: 'error', param: null, code } };
}

function sendJson(response: ServerResponse, status: number, body: Json, headers: { [name: string]: string } = {}): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json', ...headers });
  response.end(text);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(fail('Input.Invalid', `Port ${port} of 127.0.0.1 cannot be used (${error.code}). Choose another one.`, { cause: error }));
    });
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
