import { MockActivityEnvironment } from '@temporalio/testing';
import type { LogMetadata } from '@temporalio/common';
import type { Problem } from '../../src/contract/problems.js';
import { failureOf } from '../../src/contract/failure.js';

export type Warning = { message: string; meta?: LogMetadata };

/** An activity's surroundings, and what it warned of. */
export function activityEnvironment(info: ConstructorParameters<typeof MockActivityEnvironment>[0] = {}) {
  const warnings: Warning[] = [];
  const silent = () => undefined;
  const warn = (message: string, meta?: LogMetadata) => void warnings.push({ message, meta });
  const logger = { log: silent, trace: silent, debug: silent, info: silent, warn, error: silent };
  const environment = new MockActivityEnvironment(info, { logger });
  const run = <Args extends unknown[], Result>(activity: (...args: Args) => Promise<Result>, ...args: Args) =>
    environment.run<Args, Result, (...args: Args) => Promise<Result>>(activity, ...args);
  return { environment, run, warnings };
}

/** The typed failure that something ends in. */
export async function failureFrom(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => new Error('It did not fail.'),
    (thrown: unknown) => thrown,
  );
  const failure = failureOf(error);
  return {
    ...failure,
    problems: (failure.details?.[0] ?? []) as Problem[],
    nonRetryable: (error as { nonRetryable?: boolean }).nonRetryable,
  };
}
