/** One member's turn: model ⇄ tools until it replies or makes a move; or, of an orchestration, a run of its own. */
import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import type { NestedRun, TeamMember } from '../../contract/agent.js';
import { fail, failureOf } from '../../contract/failure.js';
import type { Span } from '../../contract/json.js';
import { callsOf, textOf } from '../../contract/message.js';
import { spanMs } from '../../contract/span.js';
import type { CallModelOutput } from '../../contract/step.js';
import type { OpenTurn } from '../../state/run-state.js';
import { callModel } from './activities.js';
import { boundary } from './boundary.js';
import { now } from './clock.js';
import { askCompacted } from './compaction.js';
import { isTurnFailure } from './failed-turn.js';
import { Leash } from './leash.js';
import { resultOf, startNested } from './nested.js';
import { takeOutput } from './nested-output.js';
import { abandonAll } from './operations.js';
import type { AnyRun } from './run.js';
import { reviewed } from './review.js';
import { beginStep, inBranch } from './steps.js';
import { takeRound } from './tool-round.js';
import { closeTurn, failTurn, openTurn, opening, type Spoken, type TurnOutcome } from './turn-record.js';
import { showDetails } from './visibility.js';

export interface TurnOptions {
  /** `record`: the failure is part of the conversation, and the run goes on. @default 'fail' */
  onFailure?: 'fail' | 'record';
  /** It hears nothing that was said before this position. @default everything */
  from?: number;
  /** Longest time from its beginning; a longer turn has failed. */
  timeout?: Span;
  /** For whoever may break it off. */
  leash?: Leash;
}

export async function takeTurn(run: AnyRun, member: TeamMember, options: TurnOptions): Promise<TurnOutcome> {
  const { onFailure = 'fail', leash = new Leash() } = options;
  const turn = run.state.turns.find(({ agent }) => agent === member.name) ?? openTurn(run, member, options.from);
  run.traffic.taking += 1;
  try {
    const speak = () => (member.nested ? runNested(run, turn, member.nested) : converse(run, turn, member));
    return closeTurn(run, turn, await within(run, leash, turn, spanOf(options.timeout), speak));
  } catch (error) {
    const cause = isCancellation(error) && leash.reason ? leash.reason : isTurnFailure(error) ? failureOf(error) : undefined;
    if (!cause) throw error;
    await abandonAll(run, turn);
    if (onFailure === 'fail') throw leash.reason ? fail(leash.reason.type, leash.reason.message, { final: true }) : error;
    return failTurn(run, turn, cause);
  } finally {
    run.traffic.taking -= 1;
  }
}

function spanOf(timeout: Span | undefined): number | undefined {
  return timeout === undefined ? undefined : spanMs(timeout);
}

async function within<T>(run: AnyRun, leash: Leash, turn: OpenTurn, timeoutMs: number | undefined, speak: () => Promise<T>): Promise<T> {
  if (timeoutMs === undefined) return await leash.scope.run(speak);
  const clock = new CancellationScope({ cancellable: true });
  const deadline = Date.parse(turn.at) + timeoutMs;
  run.quiet.deadlines.set(turn, deadline);
  void clock
    .run(() => sleep(Math.max(deadline - now(), 1), { summary: `${turn.agent}: time for its turn` }))
    .then(
      () => leash.pull('Turn.TimedOut', `${turn.agent} did not answer within ${timeoutMs} ms.`),
      () => undefined,
    );
  try {
    return await leash.scope.run(speak);
  } finally {
    run.quiet.deadlines.delete(turn);
    clock.cancel();
  }
}

async function converse(run: AnyRun, turn: OpenTurn, member: TeamMember): Promise<Spoken> {
  for (;;) {
    if (turn.draft) {
      const { draft } = turn;
      if (!member.review || (await reviewed(run, turn, draft, member.review)) === 'approve') return draft;
      turn.revisions = (turn.revisions ?? 0) + 1;
      delete turn.draft;
    }
    if (turn.round) {
      const { round } = turn;
      const move = await takeRound(run, turn, member, round);
      delete turn.round;
      if (move) return { ...spoken(round.reply), position: run.transcript.length - 1, move };
    }
    await boundary(run, turn);
    const mustAnswer = turn.modelCalls >= member.maxToolRounds;
    const { position, ...reply } = await callOnce(run, turn, member, mustAnswer);
    const calls = callsOf(reply.message);
    if (calls.length === 0 || mustAnswer) {
      const said = { ...spoken(reply), usage: reply.reply.usage, position };
      if (!member.review) return said;
      turn.draft = said;
      continue;
    }
    const { message, blob, cut, rawArguments, policies } = reply;
    turn.round = {
      reply: { message, ...(blob && { blob }), ...(cut && { cut }), ...(rawArguments && { rawArguments }), ...(policies && { policies }) },
      outcomes: calls.map(() => null),
      operations: {},
    };
  }
}

function spoken({ message, blob, cut }: Pick<CallModelOutput, 'message' | 'blob' | 'cut'>): Pick<Spoken, 'text' | 'blob' | 'cut'> {
  return { text: textOf(message), ...(blob && { blob }), ...(cut && { cut }) };
}

/** And where in the transcript the reply is: by the time the caller goes on, others may have spoken. */
async function callOnce(
  run: AnyRun,
  turn: OpenTurn,
  member: TeamMember,
  mustAnswer: boolean,
): Promise<CallModelOutput & { position: number }> {
  const call = turn.modelCalls + 1;
  const step = beginStep(run, `${turn.ordinal}/${call}`);
  const summary = `${turn.agent}: turn ${turn.ordinal}, model call ${call}`;
  showDetails(run, summary);
  const { ordinal, start, from } = turn;
  const place = { step, turn: ordinal, start, ...(from !== undefined && { from }), summary };
  const output = await askCompacted(run, member, place, (input, options) =>
    callModel(run.state.settings.times.model, options)({ ...input, ...(mustAnswer && { mustAnswer }) }),
  );
  turn.modelCalls = call;
  return { ...output, position: appendReply(run, turn, member, output, call === 1) };
}

function appendReply(run: AnyRun, turn: OpenTurn, { controls = {} }: TeamMember, output: CallModelOutput, isFirst: boolean): number {
  const { message, reply, blob, cut, rawArguments } = output;
  const calls = callsOf(message);
  // A reply on the way, with its calls, is the agent's own business. Words beside a move are said to everybody.
  const isPublic = calls.length === 0 || (textOf(message) !== '' && calls.some(({ name }) => Object.hasOwn(controls, name)));
  return run.transcript.append({
    message,
    turn: turn.ordinal,
    ...(!isPublic && { audience: [turn.agent] }),
    ...(isFirst && { opens: opening(turn) }),
    reply,
    ...(rawArguments && { rawArguments }),
    ...(blob && { blob }),
    ...(cut && { cut }),
  });
}

/** Its output is what the member says. */
async function runNested(run: AnyRun, turn: OpenTurn, nested: NestedRun): Promise<Spoken> {
  await boundary(run, turn);
  const open = run.state.operations.find(({ id }) => id === turn.operation);
  const operation = open ?? (await startNested(run, nested, inBranch(String(turn.ordinal), run.state.branch), { hears: turn }));
  turn.operation = operation.id;
  const { output, outputArtifact, usage, status } = await resultOf(run, operation, turn);
  const said = await takeOutput(run, { agent: turn.agent, output, ...(outputArtifact && { artifact: outputArtifact }) });
  const position = run.transcript.append({
    ...said,
    turn: turn.ordinal,
    opens: opening(turn),
    reply: { model: nested.pattern, finishReason: status, usage },
  });
  return { ...spoken(said), usage, position };
}
