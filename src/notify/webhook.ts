/** A notice by HTTP, signed as Standard Webhooks says: https://www.standardwebhooks.com */
import { createHmac } from 'node:crypto';
import type { Notice, NoticeOutcome } from '../contract/notice.js';

export interface Webhook {
  url: string;
  /** What it is signed with, all of them side by side; none: it is not signed. */
  secrets: readonly Uint8Array[];
}

const longestMs = 10_000;

/**
 * One attempt. The address is the operator's and is trusted; wherever it may lead to instead is not gone to. Neither it nor what the receiver
 * says is repeated anywhere: the one may hold a key, the other anything.
 */
export async function postNotice({ url, secrets }: Webhook, notice: Notice, cancelled: AbortSignal): Promise<NoticeOutcome> {
  const body = JSON.stringify(notice);
  const signal = AbortSignal.any([cancelled, AbortSignal.timeout(longestMs)]);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'ostinato', ...signed(notice.id, body, secrets, Date.now()) },
      body,
      redirect: 'manual',
      signal,
    });
    // Nobody reads on, however long it is.
    await response.body?.cancel().catch(() => undefined);
    return outcomeOf(response);
  } catch (error) {
    return { sent: false, reason: signal.aborted ? `The receiver did not answer within ${longestMs / 1000} seconds.` : unreachable(error) };
  }
}

/** The headers that tell a receiver that it is from us, and not told anew by anybody. */
export function signed(id: string, body: string, secrets: readonly Uint8Array[], nowMs: number): { [header: string]: string } {
  const timestamp = String(Math.floor(nowMs / 1000));
  const sign = (secret: Uint8Array) => `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  const signatures = secrets.map(sign).join(' ');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, ...(signatures && { 'webhook-signature': signatures }) };
}

function outcomeOf({ status, headers }: Response): NoticeOutcome {
  if (status >= 200 && status < 300) return { sent: true };
  if (status >= 300 && status < 400)
    return {
      sent: false,
      over: 'notice',
      reason: `The receiver redirects (status ${status}), and that is not followed: set its own address.`,
    };
  const reason = `The receiver answered with status ${status}.`;
  if (status === 410) return { sent: false, over: 'run', reason: `${reason} It is gone: nobody is notified of this run any more.` };
  if (status < 500 && status !== 408 && status !== 429) return { sent: false, over: 'notice', reason };
  const afterMs = retryAfter(headers.get('retry-after'));
  return { sent: false, reason, ...(afterMs > 0 && { afterMs }) };
}

/** Seconds or a date, in milliseconds from now. */
function retryAfter(header: string | null): number {
  if (header === null) return 0;
  const ms = /^\s*\d{1,9}\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return ms > 0 ? Math.ceil(ms) : 0;
}

function unreachable(error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown } };
  return `The receiver cannot be reached${typeof cause?.code === 'string' ? ` (${cause.code})` : ''}.`;
}
