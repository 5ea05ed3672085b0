import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { NoticeChannel } from '../../src/contract/notice.js';
import type { Notice } from '../../src/index.js';
import { answerTo } from '../../src/notify/answer.js';
import { createNotifier } from '../../src/notify/notifier.js';
import { readSecrets } from '../../src/notify/secrets.js';
import { postNotice, signed } from '../../src/notify/webhook.js';
import { openReceiver, status, type Reply } from '../support/receiver.js';

const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const other = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const secretsOf = (text: string) => readSecrets(text, (problem) => expect.fail(problem));
const never = new AbortController().signal;
const place = { namespace: 'default', taskQueue: 'ostinato' };
const notice: Notice = {
  version: 1,
  type: 'request.opened',
  id: 'notice_1',
  at: '2026-11-27T09:00:00.000Z',
  run: { id: 'tea/1', pattern: 'handoff' },
  request: { requestId: 'question-1', kind: 'question', prompt: 'Green?', createdAt: '2026-11-27T09:00:00.000Z', status: 'pending' },
};

async function outcomeOf(reply: Reply, signal: AbortSignal = never) {
  await using receiver = await openReceiver(reply);
  return { outcome: await postNotice({ url: receiver.url, secrets: [] }, notice, signal), got: receiver.got };
}

describe('a notice by HTTP', () => {
  test('is signed with every secret, over its id, its time and its body, as Standard Webhooks says', async () => {
    await using receiver = await openReceiver();

    expect(await postNotice({ url: receiver.url, secrets: secretsOf(`${secret} ${other}`) }, notice, never)).toEqual({ sent: true });

    const [{ headers, body }] = receiver.got as [(typeof receiver.got)[0]];
    expect(JSON.parse(body)).toEqual(notice);
    expect(headers).toMatchObject({ 'webhook-id': 'notice_1', 'content-type': 'application/json' });
    const sign = (key: Buffer) =>
      `v1,${createHmac('sha256', key)
        .update(`notice_1.${headers['webhook-timestamp'] as string}.${body}`)
        .digest('base64')}`;
    expect(headers['webhook-signature']).toBe(`${sign(Buffer.alloc(24, 7))} ${sign(Buffer.alloc(32, 9))}`);
    expect(headers['webhook-signature']).not.toContain(sign(Buffer.alloc(24, 8)));
    expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(300);
  });

  test('has the signature of the example that the specification gives', () => {
    const secrets = secretsOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');

    const headers = signed('msg_p5jXN8AQM9LWM0D4loKWxJek', '{"test": 2432232314}', secrets, 1614265330_000);

    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  test('without a secret it is not signed', async () => {
    const { got } = await outcomeOf(status(200));

    expect(got[0]?.headers['webhook-signature']).toBeUndefined();
    expect(got[0]?.headers['webhook-id']).toBe('notice_1');
  });

  test.each<[string, Reply, object]>([
    ['a server that fails', status(500), { sent: false, reason: 'The receiver answered with status 500.' }],
    ['a server that is busy', status(429, { 'retry-after': '120' }), { sent: false, afterMs: 120_000 }],
    ['a server that is away', status(503, { 'retry-after': 'tomorrow' }), { sent: false, reason: expect.stringContaining('503') }],
    ['a server that is slow', status(408), { sent: false, reason: expect.stringContaining('408') }],
    ['a refusal', status(400), { sent: false, over: 'notice', reason: expect.stringContaining('400') }],
    ['an address that is not there', status(404), { sent: false, over: 'notice' }],
    ['a receiver that is gone', status(410), { sent: false, over: 'run', reason: expect.stringContaining('gone') }],
  ])('%s', async (_, reply, expected) => {
    const { outcome, got } = await outcomeOf(reply);

    expect(outcome).toMatchObject(expected);
    if (!('over' in expected)) expect(outcome).not.toHaveProperty('over');
    expect(got).toHaveLength(1);
  });

  test('waits until a date, where the receiver names one', async () => {
    const at = new Date(Date.now() + 3600_000).toUTCString();
    const { outcome } = await outcomeOf(status(429, { 'retry-after': at }));

    expect((outcome as { afterMs: number }).afterMs).toBeGreaterThan(3000_000);
  });

  test('is sent nowhere else, whatever the receiver says', async () => {
    await using elsewhere = await openReceiver();
    for (const code of [301, 302, 303, 307, 308]) {
      const { outcome } = await outcomeOf(status(code, { location: elsewhere.url }));
      expect(outcome).toMatchObject({ sent: false, over: 'notice', reason: expect.stringContaining('redirects') });
      expect(JSON.stringify(outcome)).not.toContain(elsewhere.url);
    }
    expect(elsewhere.got).toEqual([]);
  });

  test('does not wait for a body that never ends', async () => {
    const { outcome } = await outcomeOf((_, response) => {
      response.writeHead(200);
      const pour = () => {
        while (!response.destroyed && response.write('x'.repeat(64 * 1024)));
      };
      response.on('drain', pour);
      pour();
    });

    expect(outcome).toEqual({ sent: true });
  });

  test('ends when it is called off, though nobody has answered', async () => {
    const calling = new AbortController();
    const { outcome } = await outcomeOf(() => calling.abort(), calling.signal);

    expect(outcome).toMatchObject({ sent: false, reason: expect.stringContaining('did not answer') });
  });

  test('repeats neither the address nor what the receiver says', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));

    const outcome = await postNotice({ url: `http://127.0.0.1:${port}/T0/secret-part`, secrets: secretsOf(secret) }, notice, never);

    expect(outcome).toEqual({ sent: false, reason: 'The receiver cannot be reached (ECONNREFUSED).' });
  });
});

describe('secrets', () => {
  test('that are none are told by their place, and not repeated', () => {
    const problems: string[] = [];

    expect(readSecrets(`${secret}, whsec_short wrong_${secret}`, (problem) => problems.push(problem))).toHaveLength(1);

    expect(problems).toEqual([
      'secret 2: expected "whsec_" and 24 to 64 bytes in base64',
      'secret 3: expected "whsec_" and 24 to 64 bytes in base64',
    ]);
  });
});

describe('a function and a webhook', () => {
  test('are both told, and who has it already is not told again', async () => {
    await using receiver = await openReceiver(status(500));
    const told: Notice[] = [];
    const notifier = createNotifier({ function: (given) => told.push(given), webhook: { url: receiver.url, secrets: [] }, place })!;

    const first = await notifier.send(notice, { got: [], signal: never });
    expect(first).toMatchObject({ sent: false, got: ['function'] });
    receiver.reply = status(200);
    const { got } = first as { got: NoticeChannel[] };
    expect(await notifier.send(notice, { got, signal: never })).toEqual({ sent: true });

    expect(told).toEqual([notice]);
    expect(receiver.got).toHaveLength(2);
  });

  test('a function that throws is tried again, and says why', async () => {
    const notifier = createNotifier({ function: () => Promise.reject(new Error('no mail server')), place })!;

    expect(await notifier.send(notice, { got: [], signal: never })).toEqual({
      sent: false,
      reason: 'The function threw: no mail server',
    });
  });

  test('a function that never ends is left behind when the attempt is over', async () => {
    const calling = new AbortController();
    const notifier = createNotifier({ function: () => new Promise(() => calling.abort()), place })!;

    expect(await notifier.send(notice, { got: [], signal: calling.signal })).toMatchObject({ sent: false });
  });

  test('without either there is no notifier', () => {
    expect(createNotifier({ place })).toBeUndefined();
  });
});

describe('how to answer', () => {
  test('is said for both commands and as a link, whatever the names are', () => {
    const { command, temporal, url } = answerTo({ ...place, link: 'https://desk.example/{run}?r={request}' }, "tea's/1 & $(rm)", {
      requestId: 'op-1~q"1',
    });

    expect(command).toContain(`'tea'\\''s/1 & $(rm)' 'op-1~q"1'`);
    expect(temporal).toContain(`--workflow-id 'tea'\\''s/1 & $(rm)' --name respond`);
    expect(url).toBe("https://desk.example/tea's%2F1%20%26%20%24(rm)?r=op-1~q%221");
  });

  test('as one of those who may', () => {
    const { command, temporal } = answerTo(place, 'shop/1', { requestId: 'q', assignee: ['ann', 'bob'] });

    expect(command).toContain(` shop/1 q '…' --by ann `);
    expect(temporal).toContain('"by":"ann"');
  });

  test('half a character in a name breaks nothing', () => {
    expect(answerTo({ ...place, link: 'https://desk.example/{run}' }, '\ud800', { requestId: 'q' }).url).toBe(
      'https://desk.example/%EF%BF%BD',
    );
  });
});
