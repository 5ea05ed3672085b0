/** Questions to people. They are state: listed by query, answered by update or signal, from any process, as late as they may be. */
import { problemsOfJson } from '../../contract/check-json.js';
import { checkRespond } from '../../contract/guards.js';
import type { Json, JsonObject } from '../../contract/json.js';
import { messages } from '../../contract/names.js';
import { show } from '../../contract/problems.js';
import type { RequestKind } from '../../contract/request.js';
import { digestOf, sameJson } from '../../contract/same-json.js';
import type { OpenTurn, RequestState } from '../../state/run-state.js';
import type { SettledRequest } from '../../state/sleeper.js';
import { now } from './clock.js';
import type { Refusal } from './inbox.js';
import { post } from './post.js';
import { add, find, isOpen, settle } from './request-list.js';
import type { AnyRun } from './run.js';
import { until } from './until.js';
import { showDetails } from './visibility.js';

export interface Question {
  kind: RequestKind;
  prompt: string;
  /** JSON schema of the answer. @default anything */
  schema?: JsonObject;
  agent?: string;
  /** @default waits for ever */
  timeoutMs?: number;
  turn?: OpenTurn;
}

export type Answer = { status: 'answered'; response: Json; by?: string } | { status: 'expired' };

/** The same id is the same question, also after the run has continued as new. */
export async function request(run: AnyRun, requestId: string, question: Question): Promise<Answer> {
  const asked = find(run, requestId) ?? open(run, requestId, question);
  const deadline = asked.expiresAt === undefined ? {} : { deadline: Date.parse(asked.expiresAt) };
  if (!question.turn) run.phase = 'waiting';
  if (isOpen(asked)) showDetails(run, `waits for a person: ${requestId}${asked.agent ? ` of ${asked.agent}` : ''}`);
  try {
    const isDecided = await until(run, () => !isOpen(asked), { ...(question.turn && { turn: question.turn }), ...deadline });
    if (!isDecided) expire(run, asked);
  } finally {
    if (!question.turn) run.phase = 'running';
  }
  if (asked.status !== 'answered') return { status: 'expired' };
  return { status: 'answered', response: asked.response ?? null, ...(asked.by && { by: asked.by }) };
}

function open(run: AnyRun, requestId: string, { kind, prompt, schema, agent, timeoutMs }: Question): RequestState {
  const at = now();
  const asked = add(run, {
    requestId,
    kind,
    prompt,
    ...(schema && { schema }),
    ...(agent && { agent }),
    createdAt: new Date(at).toISOString(),
    ...(timeoutMs !== undefined && { expiresAt: new Date(at + timeoutMs).toISOString() }),
    status: 'pending',
  });
  announce(run, asked);
  return asked;
}

function announce(run: AnyRun, { requestId, kind, prompt, schema, agent, expiresAt }: RequestState): void {
  run.outbox.emit('request.opened', {
    requestId,
    kind,
    prompt,
    ...(schema && { schema }),
    ...(agent && { agent }),
    ...(expiresAt && { expiresAt }),
  });
}

function expire(run: AnyRun, asked: RequestState): void {
  run.outbox.emit('request.expired', { requestId: asked.requestId });
  settle(run, asked, { status: 'expired' });
}

/** Why an answer is not accepted, if so. Changes nothing, and consumes nothing. */
export function refusalOfRespond(run: AnyRun, input: unknown): Refusal | undefined {
  const checked = checkRespond(input);
  if ('problem' in checked) return { type: 'Input.Invalid', reason: checked.problem };
  const { requestId, response } = checked.value;
  const asked = find(run, requestId) ?? run.state.sleeper?.settled.find((known) => known.requestId === requestId);
  const notPending = (reason: string): Refusal => ({ type: 'Request.NotPending', reason });
  if (!asked) return notPending(`No request ${show(requestId)} is known here. ${openOnes(run)}`);
  if (asked.status === 'answered') {
    if (isSameAnswer(asked, response)) return undefined;
    return notPending(`The request ${show(requestId)} has been answered already${asked.by ? ` by ${asked.by}` : ''}, otherwise.`);
  }
  if (asked.status === 'expired' || ('createdAt' in asked && isLate(asked)))
    return notPending(`The request ${show(requestId)} expired at ${asked.expiresAt}.`);
  if (asked.status === 'withdrawn') return notPending(`The request ${show(requestId)} needs no answer any more.`);
  if (run.phase === 'closed' || run.isStopped) return { type: 'Run.Closed', reason: 'This run is ending and takes no more answers.' };
  const problems = 'schema' in asked && asked.schema ? problemsOfJson(response, asked.schema) : [];
  if (problems.length === 0) return undefined;
  const list = problems.map(({ path, message }) => `response${path === '' || path.startsWith('[') ? path : `.${path}`} ${message}`);
  return { type: 'Input.Invalid', reason: `${list.join('; ')}. The request still waits.` };
}

/** Of one that was settled before the run fell asleep, only a digest is here. */
function isSameAnswer(asked: RequestState | SettledRequest, response: Json): boolean {
  return 'answer' in asked ? asked.answer === digestOf(response) : sameJson((asked as RequestState).response, response);
}

/**
 * A nested run may have gone on without an answer, and is too far away to be asked. In the run itself whatever comes first counts, the
 * expiry or the answer: one that was sent in time may be heard late, when there was no worker meanwhile.
 */
function isLate({ operation, expiresAt }: RequestState): boolean {
  return operation !== undefined && expiresAt !== undefined && Date.parse(expiresAt) <= now();
}

/** Takes an answer that was not refused. */
export function acceptRespond(run: AnyRun, input: unknown): { requestId: string; status: 'answered' } {
  const checked = checkRespond(input);
  if ('problem' in checked) throw new Error('An answer that was refused reached its handler.');
  const { requestId, response, by } = checked.value;
  const asked = find(run, requestId);
  if (asked && isOpen(asked)) {
    run.outbox.emit('request.answered', { requestId, response, ...(by && { by }) });
    settle(run, asked, { status: 'answered', response, answeredAt: new Date().toISOString(), ...(by && { by }) });
    forward(run, asked);
  }
  return { requestId, status: 'answered' };
}

/** Asked in a nested run, so it is answered there. */
function forward(run: AnyRun, { operation, nestedId, response, by }: RequestState): void {
  const nested = run.state.operations.find(({ id }) => id === operation);
  if (!nested || nestedId === undefined) return;
  post(run, nested.runId, messages.respond, { requestId: nestedId, response: response ?? null, ...(by && { by }) });
}

function openOnes(run: AnyRun): string {
  const open = run.state.requests.filter(isOpen).map(({ requestId }) => requestId);
  return open.length > 0 ? `Open: ${open.slice(0, 20).join(', ')}.` : 'None is open.';
}
