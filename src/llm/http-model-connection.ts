/** One answer on its way to a client of the HTTP model: pieces at their pace, and an end when the client goes away. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../contract/json.js';

export class HttpModelConnection {
  private readonly left = new AbortController();
  private isOurs = false;

  constructor(
    private readonly response: ServerResponse,
    /** Did the client ask for a stream? */
    readonly streams: boolean,
  ) {
    response.once('close', () => {
      if (!response.writableFinished && !this.isOurs) this.left.abort();
    });
  }

  /** Aborted when the client goes away. */
  get signal(): AbortSignal {
    return this.left.signal;
  }

  json(body: Json): void {
    this.response.writeHead(200, { 'content-type': 'application/json' });
    this.response.end(JSON.stringify(body));
  }

  /** One server-sent event. */
  async event(data: Json, name?: string): Promise<void> {
    await this.write(`${name ? `event: ${name}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
  }

  async pause(delayMs: number): Promise<void> {
    if (delayMs > 0) await sleep(delayMs, undefined, { signal: this.signal });
  }

  async raw(pieces: (string | Uint8Array)[], delayMs: number): Promise<void> {
    for (const piece of pieces) {
      await this.write(piece);
      await this.pause(delayMs);
    }
    this.end();
  }

  end(): void {
    this.response.end();
  }

  /** Breaks the connection, from this side. */
  reset(): void {
    this.isOurs = true;
    this.response.socket?.resetAndDestroy();
  }

  /** Waits until the client has gone. */
  async gone(): Promise<void> {
    if (!this.signal.aborted) await once(this.signal, 'abort');
  }

  private async write(piece: string | Uint8Array): Promise<void> {
    this.signal.throwIfAborted();
    if (!this.response.headersSent) this.response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    if (!this.response.write(piece)) await once(this.response, 'drain', { signal: this.signal });
  }
}

/** Word by word, nothing lost. */
export function wordsOf(text: string): string[] {
  return text.match(/\S+\s*|^\s+/g) ?? [];
}

/** In a few fragments, as endpoints send arguments. */
export function fragmentsOf(text: string): string[] {
  const size = Math.max(1, Math.ceil(text.length / 3));
  return Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
}

/** Rough, and good enough for those who only add them up: four characters a token. */
export function tokensOf(text: string): number {
  return Math.ceil(text.length / 4);
}
