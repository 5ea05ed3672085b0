/** Workflow ids that a person can read. */
import { createHash, randomBytes } from 'node:crypto';

const longest = 200;

/** `<pattern>/<short id>`. */
export function newRunId(pattern: string): string {
  return `${pattern}/${randomBytes(5).toString('hex')}`;
}

/** `session/<agent>/<key>`: the same agent and key are the same session. Hashed where it would be longer than 200 characters. */
export function sessionId(agent: string, key: string): string {
  const id = `session/${agent}/${key}`;
  return id.length <= longest ? id : `session/${agent}/sha256-${createHash('sha256').update(key).digest('hex')}`;
}
