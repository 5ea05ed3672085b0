import { Cipher } from '../../encryption/cipher.js';
import { startCodecServer } from '../../encryption/codec-server.js';
import { fail } from '../../contract/failure.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { names, wholeNumber } from '../options.js';

interface CodecServerFlags {
  port: number;
  origin: string[];
}

/** Where Temporal's web pages usually are: of a development server, of its docker-compose file. */
const usualOrigins = ['8233', '8080'].flatMap((port) => [`http://localhost:${port}`, `http://127.0.0.1:${port}`]);

/** `ostinato codec-server`: what Temporal's web pages and command need to read what is encrypted. */
export function addCodecServer(cli: Cli): void {
  cli
    .command('codec-server', "Decrypt for Temporal's web pages and command on this machine, until Ctrl-C. Needs OSTINATO_ENCRYPTION_KEYS.")
    .option('--port <port>', 'port on 127.0.0.1', wholeNumber, 8234)
    .option('--origin <url,…>', `web pages that may ask (default: ${usualOrigins.join(', ')})`, names)
    .action(cli.action(serve));
}

async function serve(context: Context, { port, origin = usualOrigins }: CodecServerFlags) {
  const { terminal, config } = context;
  const keys = config.encryptionKeys();
  if (keys.length === 0)
    throw fail('Input.Invalid', `There are no keys: set OSTINATO_ENCRYPTION_KEYS. One is made by \`${context.next('key')}\`.`);
  const origins = origin.map((url) => url.replace(/\/+$/, ''));
  const server = await startCodecServer(new Cipher(keys), { port, origins });
  context.defer(() => server.close());
  terminal.line(server.url);
  terminal.note(`Keys: ${keys.map(({ id }) => id).join(', ')}. Web pages that may ask: ${origins.join(', ')}. Ctrl-C stops.`);
  terminal.note(`For the command:  temporal workflow show --workflow-id … --codec-endpoint ${server.url}`);
  terminal.document({ url: server.url, keys: keys.map(({ id }) => id), origins });
  await context.untilInterrupted();
}
