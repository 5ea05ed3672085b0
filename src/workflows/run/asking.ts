/** What people are asked in the course of a turn, for the calls of a reply. */
import { asText, cutText } from '../../contract/cut-text.js';
import type { JsonObject } from '../../contract/json.js';
import type { Patience } from '../../contract/patience.js';
import type { CallView } from '../../contract/request.js';
import { jsonBytes } from '../../contract/size.js';
import type { CallToolOutput } from '../../contract/step.js';
import type { OpenTurn, RequestState, ToolRound } from '../../state/run-state.js';
import type { Answer } from './requests.js';
import type { AnyRun } from './run.js';
import { inBranch } from './steps.js';
import { policyIn, type OpenCall } from './tool-call.js';

/** What a call comes to next: its tool is run, a person is waited for, or that was it. */
export type Step = { runs: { edited?: JsonObject | undefined } } | { waits: Waiting } | { outcome: CallToolOutput };

export interface Waiting {
  asked: RequestState;
  patience: Patience;
  /** @throws a typed failure, which ends the turn */
  after: (answer: Answer) => Step;
  /** What the agent is told when nobody is asked any more. */
  withdrawn: (reason: string) => CallToolOutput;
}

export const superseded = 'something new was said';

/** Why nobody is to be asked any more, if so: the agent is told, and comes to its end. */
export function reasonNotToAsk(run: AnyRun, turn: OpenTurn): string | undefined {
  if (run.isStopped) return 'the run is about to end';
  return turn.superseded ? superseded : undefined;
}

/** `approve-1-1-0` */
export function requestIdOf(run: AnyRun, word: string, { ordinal, modelCalls }: OpenTurn, { index }: OpenCall): string {
  return inBranch(`${word}-${ordinal}-${modelCalls}-${index}`, run.state.branch);
}

/** Bytes of arguments; of larger ones a person sees the beginning. */
const mostShown = 8 * 1024;

/** `edited`: what a person has put in place of the arguments. */
export function callView(reply: ToolRound['reply'], { call, index }: OpenCall, edited?: JsonObject): CallView {
  const { callId, name } = call;
  // Of a reply that is only a preview here, arguments are not known.
  const args = edited ?? policyIn(reply, index).approval?.shown ?? (reply.cut ? undefined : call.arguments);
  return {
    tool: name.slice(0, 200),
    callId: callId.slice(0, 200),
    ...(args !== undefined && { arguments: jsonBytes(args) > mostShown ? cutText(asText(args), mostShown) : args }),
  };
}
