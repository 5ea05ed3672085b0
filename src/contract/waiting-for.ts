/** For whom a request waits, as the search attribute `OstinatoWaitingFor` and whoever looks for it write it. */
import type { RequestView } from './request.js';

/** A request that is for nobody in particular. */
export const anybody = 'anybody';

/** A run that asks nothing at the moment. */
export const nobody = 'nobody';

/** A search attribute may have 2 KiB; what it holds ends up in databases that take no control characters. */
const mostBytes = 1500;
const longestName = 100;

/** The assignees, else the role, else anybody. */
export function waitingFor({ assignee = [], role }: Pick<RequestView, 'assignee' | 'role'>): string[] {
  return assignee.length > 0 ? assignee : [role ?? anybody];
}

/** What these requests are found by, all together. Of a great many names some are left out. */
export function keywordsOf(requests: readonly Pick<RequestView, 'assignee' | 'role'>[]): string[] {
  const names = [...new Set(requests.flatMap(waitingFor))].map(keyword).sort();
  const kept: string[] = [];
  let room = mostBytes;
  for (const name of new Set(names)) {
    // At most three bytes a character, and what JSON puts around it.
    room -= name.length * 3 + 4;
    if (room >= 0) kept.push(name);
  }
  return kept.length > 0 ? kept : [nobody];
}

/** A name as it is looked for. */
export function keyword(name: string): string {
  // eslint-disable-next-line no-control-regex -- These are the characters it is about.
  const plain = name.replace(/[\u0000-\u001f\u007f-\u009f\ud800-\udfff]/g, '').trim();
  if (plain === '') return anybody;
  return plain === nobody ? 'Nobody' : plain.slice(0, longestName);
}
