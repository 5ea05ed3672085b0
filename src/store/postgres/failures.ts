import { ApplicationFailure } from '@temporalio/common';
import { fail } from '../../contract/failure.js';
import type { Address } from './address.js';

/** The connection was lost, the server is coming back, or another transaction was in the way: the same succeeds a moment later. */
export function isPassing(error: unknown): boolean {
  return kindOf(error)?.passing === true;
}

/** What the driver throws, as a typed failure that shows no password. What is not the world's fault stays as it is: a bug. */
export function toFailure(error: unknown, address: Address): unknown {
  if (error instanceof ApplicationFailure || !(error instanceof Error)) return error;
  const kind = kindOf(error);
  if (kind === undefined) return error;
  // Addresses that were all tried in vain come as one error without words.
  const words = error.message || ((error as AggregateError).errors as Error[] | undefined)?.[0]?.message || codeOf(error);
  const reason = address.redact(words).replace(/\.$/, '');
  return fail('Store.Unavailable', `The store "${address.name}" cannot be used: ${reason}. ${kind.advice(address, words)}`, {
    cause: address.redact(error.stack ?? '') === (error.stack ?? '') ? error : undefined,
    details: [{ code: codeOf(error) }],
  });
}

interface Kind {
  passing?: boolean;
  advice(address: Address, message: string): string;
}

const lost: Kind = {
  passing: true,
  advice: () => 'See that the server runs, that OSTINATO_STORE_URL names it, and that it can be reached from here; then try again.',
};
const busy: Kind = { passing: true, advice: () => 'Other transactions were in the way. Try again.' };
const full: Kind = { passing: true, advice: () => 'It has no connection left: raise max_connections, or run fewer workers.' };
const slow: Kind = { advice: () => 'It took too long. See what keeps the server busy, then try again.' };
const unknown: Kind = { advice: ({ database }) => `Create it with: CREATE DATABASE "${database}" ENCODING 'UTF8'` };
const refused: Kind = { advice: () => 'Correct user and password in OSTINATO_STORE_URL, or let the user in with pg_hba.conf.' };
const rights: Kind = {
  advice: ({ user, database }, message) =>
    message.includes('for database')
      ? `Let this user make the schema: GRANT CREATE ON DATABASE "${database}" TO "${user}", or make it: CREATE SCHEMA ostinato AUTHORIZATION "${user}"`
      : `Open the store with the user who made it, or: GRANT USAGE ON SCHEMA ostinato TO "${user}"; ` +
        `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ostinato TO "${user}"`,
};
const readOnly: Kind = { advice: () => 'It takes no writes: name the primary server, and a user who may write, in OSTINATO_STORE_URL.' };
const space: Kind = { advice: () => 'Free some space on its disk and try again.' };
const memory: Kind = { advice: () => 'The server has no memory left. Give it more, or lower what it is asked to keep.' };
const disk: Kind = { advice: () => "Check the server's disk and its log." };
const damaged: Kind = { advice: () => 'It is left as it is: restore it from a backup.' };
const missing: Kind = { advice: () => 'Something of the schema "ostinato" is gone: restore it from a backup.' };
const nowhere: Kind = { advice: () => 'Correct the host in OSTINATO_STORE_URL.' };
const tls: Kind = {
  advice: () =>
    'Set sslmode in OSTINATO_STORE_URL as the server wants it: disable, require, or verify-full with sslrootcert=<file> for an authority of your own.',
};

/** By SQLSTATE, by its class of two characters, or by the code of the operating system, where ours differ from `lost`. */
const kinds: Record<string, Kind> = {
  '08': lost,
  '57P01': lost,
  '57P02': lost,
  '57P03': lost,
  '57P05': lost,
  '25P03': lost,
  ENOTFOUND: nowhere,
  EACCES: refused,
  '40001': busy,
  '40P01': busy,
  '55P03': busy,
  '57014': slow,
  '53300': full,
  '53100': space,
  '53200': memory,
  '58': disk,
  XX: disk,
  XX001: damaged,
  XX002: damaged,
  '28': refused,
  '3D000': unknown,
  '42501': rights,
  '25006': readOnly,
  '42P01': missing,
  '42883': missing,
  '3F000': missing,
};

/** What the driver says without a code. */
const wordings: [RegExp, Kind][] = [
  [/^(Connection terminated|Client has encountered a connection error|Client was closed)/, lost],
  [/^(timeout exceeded when trying to connect|timeout expired|Query read timeout)/, lost],
  [/^(The server does not support SSL|There was an error establishing an SSL connection)|certificate|altname/i, tls],
  [/password must be a (non-empty )?string/, refused],
];

function kindOf(error: unknown): Kind | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = codeOf(error);
  const known = kinds[code] ?? (/^[0-9A-Z]{5}$/.test(code) ? kinds[code.slice(0, 2)] : undefined);
  if (known) return known;
  const byWords = wordings.find(([words]) => words.test(error.message))?.[1];
  if (byWords) return byWords;
  if (/^ERR_(SSL|TLS)/.test(code)) return tls;
  // The operating system's: ECONNREFUSED, ECONNRESET, EPIPE, ENOENT for a socket that is not there yet …
  return /^E[A-Z_]+$/.test(code) && !code.startsWith('ERR_') ? lost : undefined;
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code ?? '');
}
