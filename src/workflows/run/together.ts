/** Members side by side: all hear the same and none hears the others. What becomes of them is listed in the order in which they were named. */
import { ContinueAsNew } from '@temporalio/workflow';
import { fail } from '../../contract/failure.js';
import type { FailurePolicy } from '../../contract/pattern.js';
import { Leash } from './leash.js';
import type { AnyRun } from './run.js';
import { RunStopped } from './stopped.js';
import { takeTurn, type TurnOptions } from './turn.js';

/** What became of one member. */
export type MemberResult =
  | { member: string; status: 'completed'; output: string; artifact?: string }
  | { member: string; status: 'failed' | 'abandoned'; failure: { type: string; message: string } };

/** By member. Part of the pattern's progress: what is done is not done again. */
export type Results = { [member: string]: MemberResult };

export interface TogetherOptions extends Pick<TurnOptions, 'from' | 'timeout'> {
  /** @default 'failFast' */
  policy?: FailurePolicy;
}

/** @throws the first failure with `failFast`, or when nobody succeeded · `Run.NoQuorum` */
export async function together(
  run: AnyRun,
  members: readonly string[],
  results: Results,
  { policy = 'failFast', ...turn }: TogetherOptions = {},
): Promise<MemberResult[]> {
  const leashes = new Map(members.filter((name) => !results[name]).map((name) => [name, new Leash()]));
  const letGo = (why: string) => leashes.forEach((leash) => leash.pull('Turn.Abandoned', why));
  let stopped: RunStopped | undefined;
  await Promise.all(
    [...leashes].map(async ([name, leash]) => {
      try {
        const { text, artifact, failure } = await takeTurn(run, run.member(name), { ...turn, leash, onFailure: 'record' });
        leashes.delete(name);
        const status = failure?.type === 'Turn.Abandoned' ? 'abandoned' : 'failed';
        results[name] = failure
          ? { member: name, status, failure }
          : { member: name, status: 'completed', output: text, ...(artifact && { artifact }) };
        if (isDecided(policy, members, results)) letGo('The others have decided the matter.');
      } catch (error) {
        if (error instanceof ContinueAsNew || !(error instanceof RunStopped)) throw error;
        // The turns in flight still end, and are kept.
        stopped = error;
      }
    }),
  );
  if (stopped) throw stopped;
  const list = members.map((name) => results[name] as MemberResult);
  assertSuccess(policy, list);
  return list;
}

function isDecided(policy: FailurePolicy, members: readonly string[], results: Results): boolean {
  const done = Object.values(results);
  const failed = done.filter(({ status }) => status === 'failed').length;
  if (policy === 'failFast') return failed > 0;
  if (policy === 'collect') return false;
  return done.filter(({ status }) => status === 'completed').length >= policy.quorum || failed > members.length - policy.quorum;
}

function assertSuccess(policy: FailurePolicy, list: readonly MemberResult[]): void {
  const failed = list.filter((result): result is Unsuccessful => result.status === 'failed');
  const succeeded = list.filter(({ status }) => status === 'completed').length;
  const [first] = failed;
  if (first && (policy === 'failFast' || succeeded === 0)) throw memberFailure(first);
  if (typeof policy === 'object' && succeeded < policy.quorum) {
    const reasons = failed.map(({ member, failure }) => `${member}: ${failure.message}`).join('\n- ');
    throw fail('Run.NoQuorum', `${succeeded} of ${list.length} members succeeded, and ${policy.quorum} were asked for:\n- ${reasons}`, {
      final: true,
    });
  }
}

type Unsuccessful = Extract<MemberResult, { failure: object }>;

function memberFailure({ member, failure }: Unsuccessful) {
  return fail(failure.type as never, `${member}: ${failure.message}`, { final: true });
}
