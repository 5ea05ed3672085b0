/** Members side by side: all hear the same and none hears the others. What becomes of them is listed in the order in which they were named. */
import { ContinueAsNew } from '@temporalio/workflow';
import { fail } from '../../contract/failure.js';
import type { FailurePolicy } from '../../contract/pattern.js';
import { jsonBytes, sizes } from '../../contract/size.js';
import { Leash } from './leash.js';
import type { AnyRun } from './run.js';
import { RunStopped } from './stopped.js';
import { takeTurn, type TurnOptions } from './turn.js';
import type { TurnOutcome } from './turn-record.js';

/** What became of one member. */
export type MemberResult =
  /** Of a long text the beginning, and `artifact`, the id of the whole. */
  | { member: string; status: 'completed'; output: string; artifact?: string }
  /** `abandoned`: broken off, because the others had decided the matter. */
  | { member: string; status: 'failed' | 'abandoned'; failure: { type: string; message: string } };

/** By member. Part of the pattern's progress: what is done is not done again. */
export type Results = { [member: string]: MemberResult };

export interface TogetherOptions extends Pick<TurnOptions, 'from' | 'timeout'> {
  /** @default 'failFast' */
  policy?: FailurePolicy;
}

/** @throws the first failure with `failFast`; the first of all with `collect`, when nobody succeeded · `Run.NoQuorum` */
export async function together(
  run: AnyRun,
  members: readonly string[],
  results: Results,
  { policy = 'failFast', ...turn }: TogetherOptions = {},
): Promise<MemberResult[]> {
  const share = Math.floor(listBytes / members.length);
  const leashes = new Map(members.filter((name) => !results[name]).map((name) => [name, new Leash()]));
  const letGo = (why: string) => leashes.forEach((leash) => leash.pull('Turn.Abandoned', why));
  let stopped: RunStopped | undefined;
  await Promise.all(
    [...leashes].map(async ([name, leash]) => {
      try {
        const outcome = await takeTurn(run, run.member(name), { ...turn, leash, onFailure: 'record' });
        leashes.delete(name);
        results[name] = resultOf(outcome, share);
        if (isDecided(policy, members, results)) letGo('The others have decided the matter.');
      } catch (error) {
        if (error instanceof ContinueAsNew || !(error instanceof RunStopped)) throw error;
        // The turns in flight still end, and are kept.
        stopped = error;
      }
    }),
  );
  const list = members.flatMap((name) => results[name] ?? []);
  const failed = list.filter((result): result is Unsuccessful => result.status === 'failed');
  if (policy === 'failFast' && failed[0]) throw memberFailure(failed[0]);
  if (stopped) throw stopped;
  assertSuccess(policy, list, failed);
  return list;
}

/** Results are part of the run's state, and of its output. */
const listBytes = sizes.input / 2;

function resultOf({ agent: member, text, artifact, blob, failure }: TurnOutcome, share: number): MemberResult {
  if (failure) return { member, status: failure.type === 'Turn.Abandoned' ? 'abandoned' : 'failed', failure };
  // Cut only where the whole can be had.
  const whole = artifact ?? (jsonBytes(text) > share ? blob : undefined);
  if (whole === undefined) return { member, status: 'completed', output: text };
  return { member, status: 'completed', output: text.slice(0, sizes.preview), artifact: whole };
}

function isDecided(policy: FailurePolicy, members: readonly string[], results: Results): boolean {
  const done = Object.values(results);
  const failed = done.filter(({ status }) => status === 'failed').length;
  if (policy === 'failFast') return failed > 0;
  if (policy === 'collect') return false;
  return done.filter(({ status }) => status === 'completed').length >= policy.quorum || failed > members.length - policy.quorum;
}

function assertSuccess(policy: FailurePolicy, list: readonly MemberResult[], failed: readonly Unsuccessful[]): void {
  const succeeded = list.filter(({ status }) => status === 'completed').length;
  if (typeof policy !== 'object') {
    if (succeeded === 0 && failed[0]) throw memberFailure(failed[0]);
  } else if (succeeded < policy.quorum) {
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
