/** What a run is asked to do with its own state. Accepted at once; done where everybody meets and nothing is half done. */
import { uuid4 } from '@temporalio/workflow';
import type { Checked } from '../../contract/guards.js';
import { checkFork, checkRollback, checkSave } from '../../contract/guards.js';
import type { CommandStatus } from '../../contract/snapshot.js';
import type { CommandState } from '../../state/run-state.js';
import type { Refusal } from './inbox.js';
import type { AnyRun } from './run.js';

/** More that wait are refused, and fewer done ones are remembered. */
const mostWaiting = 50;
const remembered = 50;

const checks = { save: checkSave, rollback: checkRollback, fork: checkFork } satisfies Record<
  CommandStatus['kind'],
  (input: unknown) => Checked<object>
>;

/** Why it is not accepted, if so. Changes nothing. */
export function refusalOfCommand(run: AnyRun, kind: CommandStatus['kind'], input: unknown): Refusal | undefined {
  const checked = checks[kind](input);
  if ('problem' in checked) return { type: 'Input.Invalid', reason: checked.problem };
  if (run.phase === 'closed')
    return { type: 'Run.Closed', reason: 'This run has ended. Its snapshots are still there, and can be loaded.' };
  if (pendingCommands(run).length >= mostWaiting) return { type: 'Run.Busy', reason: `${mostWaiting} commands wait already.` };
  return undefined;
}

/** The same id again is the same command. */
export function acceptCommand(run: AnyRun, kind: CommandStatus['kind'], input: unknown, id: string = uuid4()): { operationId: string } {
  const checked = checks[kind](input);
  const { as, ...given } = ('value' in checked ? checked.value : {}) as Partial<CommandState> & { as?: string };
  const commands = (run.state.commands ??= []);
  if (!commands.some((known) => known.id === id)) {
    commands.push({ id, kind, status: 'pending', ...given, ...(as !== undefined && { runId: as }) });
    const done = commands.filter(({ status }) => status !== 'pending');
    if (done.length > remembered) run.state.commands = commands.filter((command) => command !== done[0]);
  }
  return { operationId: id };
}

export function pendingCommands(run: AnyRun): CommandState[] {
  return run.state.commands?.filter(({ status }) => status === 'pending') ?? [];
}
