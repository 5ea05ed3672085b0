import type { Limits } from '../contract/run.js';
import { spanMs } from '../contract/span.js';
import type { PreparedRun } from '../contract/step.js';

export function inMilliseconds({ turns, tokens, time }: Limits = {}): PreparedRun['limits'] {
  const timeMs = time === undefined ? undefined : spanMs(time);
  return {
    ...(turns !== undefined && { turns }),
    ...(tokens !== undefined && { tokens }),
    ...(timeMs !== undefined && { timeMs }),
  };
}
