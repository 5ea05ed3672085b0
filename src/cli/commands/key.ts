import { newKey } from '../../encryption/keys.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';

/** `ostinato key`: a new key, for `OSTINATO_ENCRYPTION_KEYS`. */
export function addKey(cli: Cli): void {
  cli
    .command('key', 'Make a key for OSTINATO_ENCRYPTION_KEYS, and print it. Keep it safe: what it has encrypted is lost with it.')
    .action(cli.action(makeKey));
}

async function makeKey({ terminal }: Context) {
  const key = newKey();
  terminal.line(key);
  terminal.document({ key });
}
