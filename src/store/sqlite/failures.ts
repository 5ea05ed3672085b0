import { fail } from '../../contract/failure.js';

/** Another process is at work: the same statement succeeds a moment later. */
export function isBusy(error: unknown): boolean {
  return remedies[kindOf(error)] === busy;
}

/** What the engine throws, as a typed failure. What is not the world's fault stays as it is: a bug. */
export function toFailure(error: unknown, path: string): unknown {
  const advice = remedies[codeOf(error)] ?? remedies[kindOf(error)];
  if (advice === undefined) return error;
  const reason = codeOf(error) === 'SQLITE_CANTOPEN' ? 'it cannot be opened' : (error as Error).message;
  return fail('Store.Unavailable', `The store "${path}" cannot be used: ${reason}. ${advice}`, {
    cause: error,
    details: [{ code: codeOf(error) }],
  });
}

const busy = 'Other processes kept it busy. Try again; if it stays so, end the one that holds it.';
const damaged = 'It is left as it is: restore it from a backup, or move it away to begin with an empty one.';
const inaccessible = 'See that this user may read and write the file and its directory.';

/** By extended or by primary code. */
const remedies: Record<string, string> = {
  SQLITE_BUSY: busy,
  SQLITE_LOCKED: busy,
  SQLITE_PROTOCOL: busy,
  SQLITE_FULL: 'Free some space on its disk and try again.',
  SQLITE_IOERR: 'Check the disk: its space, its health, and that it is a local one.',
  SQLITE_IOERR_SHORT_READ: damaged,
  SQLITE_CANTOPEN: inaccessible,
  SQLITE_PERM: inaccessible,
  SQLITE_READONLY: inaccessible,
  SQLITE_NOTADB: damaged,
  SQLITE_CORRUPT: damaged,
};

/** The primary code: `SQLITE_IOERR` for `SQLITE_IOERR_WRITE`. */
function kindOf(error: unknown): string {
  return codeOf(error).split('_', 2).join('_');
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  // The one error that libsql gives no code: the file could not be opened at all.
  if (error.message.startsWith('ConnectionFailed')) return 'SQLITE_CANTOPEN';
  return String((error as { code?: unknown }).code ?? '');
}
