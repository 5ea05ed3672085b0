import { Client } from 'pg';
import { fail } from '../../contract/failure.js';

/** Where a database is. */
export interface Address {
  /** What the driver is given. */
  connectionString: string;
  /** For messages: without the password, and without parameters that may hold one. */
  name: string;
  user: string;
  database: string;
  /** The text, with a password that was in it left out. */
  redact(text: string): string;
}

/**
 * Reads `postgres://user:password@host:port/database?sslmode=…`.
 *
 * @throws `Input.Invalid`
 */
export function readAddress(url: string): Address {
  const connectionString = withPlainSslMode(url);
  let client: Client;
  try {
    if (!/^postgres(ql)?:\/\//.test(url)) throw new Error('it does not begin with postgres:// or postgresql://');
    client = new Client({ connectionString });
  } catch (error) {
    // The error stays here: it may repeat the address.
    const { code, path } = error as NodeJS.ErrnoException;
    const file = code !== undefined && path !== undefined ? ` The file "${path}" that it names cannot be read (${code}).` : '';
    throw fail(
      'Input.Invalid',
      `The address of the store cannot be used.${file} It has the form postgresql://user:password@host:5432/database?sslmode=verify-full, ` +
        'with special characters in user and password percent-encoded: correct OSTINATO_STORE_URL.',
    );
  }
  const { host, port, password = '' } = client;
  const [user, database] = [client.user ?? '', client.database ?? ''];
  // The driver takes "/run/postgresql" for a directory of sockets.
  const place = host.startsWith('/') ? `${host}:${port}` : `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const secrets = [url, password, encodeURIComponent(password)].filter((secret) => secret !== '');
  return {
    connectionString,
    name: `postgresql://${user}@${place}/${database}`,
    user,
    database,
    redact: (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text),
  };
}

/** `sslmode` means to us what it means to psql; by itself the driver takes every mode for verify-full, and warns. */
function withPlainSslMode(url: string): string {
  const isLoose = /[?&]sslmode=(prefer|require|verify-ca)\b/.test(url);
  return isLoose && !/[?&]uselibpqcompat=/.test(url) ? `${url}&uselibpqcompat=true` : url;
}
