/**
 * A plan waits for a person, who hears of it outside: here from a small receiver on this machine, which checks the signature, prints what is
 * asked, and answers. With `--only-print` it leaves the answer to you: copy one of the commands, Temporal's own does as well, in another terminal.
 * Needs a Temporal server: `npx ostinato dev` starts one.
 */
import assert from 'node:assert/strict';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { defineAgent, defineOrchestration, type Notice } from 'ostinato';
import { connect } from 'ostinato/client';
import { loadConfig, startWorker } from 'ostinato/worker';

process.env.OSTINATO_TASK_QUEUE = 'plan-review';
const leavesItToYou = process.argv.includes('--only-print');

const reader = defineAgent({ name: 'reader', description: 'Extracts the facts of a text.', instructions: 'You extract facts, as a list.' });
const editor = defineAgent({ name: 'editor', description: 'Shortens texts.', instructions: 'You shorten texts to two sentences.' });
const research = defineOrchestration({
  name: 'research',
  pattern: 'magentic',
  agents: [reader, editor],
  options: { planReview: { timeout: '1 hour' }, maxRounds: 10 },
});

await using client = await connect();
const secret = randomBytes(32);
const told: string[] = [];

/** The receiver: in life another program, which sends mails or writes into a chat. */
const receiver = createServer((request, response) => {
  void (async () => {
    const body = await text(request);
    if (!isSigned(request.headers, body)) return void response.writeHead(401).end();
    const { type, request: asked, run, answer } = JSON.parse(body) as Notice;
    response.writeHead(204).end();
    console.log(`${type} ${asked.requestId} of ${run.id}`);
    told.push(`${type} ${asked.requestId}`);
    if (!answer) return;
    console.log(
      `\n${asked.prompt.split('\n\n')[0]}\n\nAnswer with one of\n  ${answer.command}\n  ${answer.temporal}\nwhere … is approve or reject.\n`,
    );
    if (!leavesItToYou) await client.attach(run.id).respond(asked.requestId, 'approve', { by: 'anna' });
  })();
});

/** As Standard Webhooks says; there are libraries for it. */
function isSigned(headers: IncomingHttpHeaders, body: string): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (Math.abs(Number(timestamp) - Date.now() / 1000) > 300) return false;
  const expected = createHmac('sha256', secret)
    .update(`${String(id)}.${String(timestamp)}.${body}`)
    .digest();
  const given = String(signatures)
    .split(' ')
    .map((one) => Buffer.from(one.replace('v1,', ''), 'base64'));
  return given.some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected));
}

await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;

{
  const notify = { url, secret: `whsec_${secret.toString('base64')}` };
  await using _worker = await startWorker({ orchestrations: [research], config: loadConfig({ notify }) });
  const document = await readFile(new URL('documents/longitude.md', import.meta.url), 'utf8');
  const run = await client.start(research, { task: `Explain how longitude was found at sea:\n\n${document}` });
  const { status, output } = await run.result();
  console.log(String(output));

  assert.equal(status, 'completed');
  assert.deepEqual(told.slice(0, 2), ['request.opened plan-0-0', 'request.answered plan-0-0']);
  for (const { requestId, by, response } of await run.audit())
    console.log(`${requestId}: ${JSON.stringify(response)} by ${by ?? 'somebody'}`);
}
receiver.closeAllConnections();
receiver.close();
