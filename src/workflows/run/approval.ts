/** A person decides whether a call of a tool is carried out, and with which arguments. */
import { approvalSchema, decisionIn, type ApprovalDecision } from '../../contract/answers.js';
import { fail } from '../../contract/failure.js';
import type { CallApproval } from '../../contract/step.js';
import type { OpenTurn, ToolRound } from '../../state/run-state.js';
import { callView, reasonNotToAsk, requestIdOf, type Step } from './asking.js';
import { find } from './request-list.js';
import { askOnce, type Answer } from './requests.js';
import type { AnyRun } from './run.js';
import { decided, type OpenCall } from './tool-call.js';

/** Asked once, whatever happens to the process: the same call is the same request. */
export function approvalOf(run: AnyRun, turn: OpenTurn, { reply }: ToolRound, open: OpenCall, approval: CallApproval): Step {
  const { call } = open;
  const { schema, shown, ...patience } = approval;
  const id = requestIdOf(run, 'approve', turn, open);
  const known = find(run, id);
  if (!known && isRemembered(run, turn.agent, call.name)) return { runs: {} };
  const reason = known ? undefined : reasonNotToAsk(run, turn);
  const refuse = (why: string) => decided(run, turn, open, { ok: false, result: `"${call.name}" was not called: ${why}` });
  if (reason !== undefined) return { outcome: refuse(`a person has to approve that, and nobody was asked: ${reason}.`) };
  const asked = askOnce(run, id, {
    kind: 'toolApproval',
    prompt: `${turn.agent} wants to call ${call.name}:\n${shown ?? JSON.stringify(call.arguments, undefined, 2)}`,
    schema: approvalSchema(schema),
    agent: turn.agent,
    call: callView(reply, open),
    patience,
    turn,
  });
  const withdrawn = (why: string) => refuse(`the request for an approval was withdrawn: ${why}.`);
  return { waits: { asked, patience, withdrawn, after: (answer) => afterApproval(run, turn, open, answer, refuse) } };
}

function afterApproval(
  run: AnyRun,
  turn: OpenTurn,
  { call }: OpenCall,
  answer: Answer,
  refuse: (why: string) => ReturnType<typeof decided>,
): Step {
  const decision = answer.response === undefined ? undefined : decisionIn<ApprovalDecision>(answer.response);
  if (!decision) {
    const { outcome = 'reject' } = answer as { outcome?: string };
    if (outcome === 'approve') return { runs: {} };
    if (outcome === 'reject') return { outcome: refuse('nobody has approved it in time.') };
    throw fail('Request.Expired', `Nobody decided in time whether ${turn.agent} may call "${call.name}".`, { final: true });
  }
  if (decision.decision === 'reject') {
    const by = ('by' in answer && answer.by) || 'a person';
    return { outcome: refuse(`${by} rejected it.${decision.feedback ? ` ${decision.feedback}` : ''}`) };
  }
  if (decision.remember) remember(run, turn.agent, call.name);
  return { runs: decision.arguments ? { edited: decision.arguments } : {} };
}

/** It holds for what is called from now on, in this run. */
function remember(run: AnyRun, agent: string, tool: string): void {
  if (isRemembered(run, agent, tool)) return;
  const { approved = {} } = run.state;
  run.state.approved = { ...approved, [agent]: [...(approved[agent] ?? []), tool] };
}

function isRemembered({ state: { approved = {} } }: AnyRun, agent: string, tool: string): boolean {
  return Object.hasOwn(approved, agent) && (approved[agent] ?? []).includes(tool);
}
