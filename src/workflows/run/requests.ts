/** Questions to people. They are state: listed by query, answered by update or signal, from any process, as late as they may be. */
import { problemsOfJson } from '../../contract/check-json.js';
import { checkRespond } from '../../contract/guards.js';
import type { Json, JsonObject } from '../../contract/json.js';
import { messages } from '../../contract/names.js';
import { show } from '../../contract/problems.js';
import { stageOf, type Patience } from '../../contract/patience.js';
import type { CallView, RequestKind } from '../../contract/request.js';
import { digestOf, sameJson } from '../../contract/same-json.js';
import { jsonBytes, sizes } from '../../contract/size.js';
import type { OpenTurn, RequestState } from '../../state/run-state.js';
import type { SettledRequest } from '../../state/sleeper.js';
import { now } from './clock.js';
import type { Refusal } from './inbox.js';
import { addressed, dueAt, passTime } from './patience.js';
import { post } from './post.js';
import { add, find, isOpen, settle, take } from './request-list.js';
import type { AnyRun } from './run.js';
import { until } from './until.js';
import { showDetails } from './visibility.js';

export interface Question {
  kind: RequestKind;
  prompt: string;
  /** JSON schema of the answer. @default anything */
  schema?: JsonObject;
  agent?: string;
  call?: CallView;
  /** Who may answer, how long that is waited for, and what then. @default anybody, for ever */
  patience?: Patience;
  /** As `patience.timeout`. */
  timeoutMs?: number;
  turn?: OpenTurn;
}

/** Of one that has expired: the answer that counts instead, or the word for what happens then, where it was given one. */
export type Answer = { status: 'answered'; response: Json; by?: string } | { status: 'expired'; response?: Json; outcome?: string };

/** The same id is the same question, also after the run has continued as new. */
export async function request(run: AnyRun, requestId: string, question: Question): Promise<Answer> {
  const patience = patienceOf(question);
  const asked = askOnce(run, requestId, question);
  if (!question.turn) run.phase = 'waiting';
  if (isOpen(asked)) showDetails(run, `waits for a person: ${requestId}${asked.agent ? ` of ${asked.agent}` : ''}`);
  try {
    do {
      const wait = { ...(question.turn && { turn: question.turn }), deadline: dueAt(asked) };
      if (!(await until(run, () => !isOpen(asked), wait))) passTime(run, asked, patience);
    } while (isOpen(asked));
  } finally {
    if (!question.turn) run.phase = 'running';
  }
  take(run, asked);
  return answerOf(asked, patience);
}

/** Opens it, unless it is open or has been answered already. */
export function askOnce(run: AnyRun, requestId: string, question: Question): RequestState {
  return find(run, requestId) ?? open(run, requestId, question, patienceOf(question));
}

function patienceOf({ patience, timeoutMs }: Question): Patience {
  return patience ?? (timeoutMs === undefined ? {} : { timeout: timeoutMs });
}

function open(run: AnyRun, requestId: string, { kind, prompt, schema, agent, call, turn }: Question, patience: Patience): RequestState {
  const at = now();
  const asked = add(run, {
    requestId,
    kind,
    prompt,
    ...(schema && { schema }),
    ...(agent && { agent }),
    ...(call && { call }),
    createdAt: new Date(at).toISOString(),
    ...addressed(patience, at),
    ...(turn && { turn: turn.ordinal }),
    status: 'pending',
  });
  announce(run, asked);
  return asked;
}

function announce(run: AnyRun, { requestId, kind, prompt, schema, agent, assignee, role, call, expiresAt }: RequestState): void {
  run.outbox.emit('request.opened', {
    requestId,
    kind,
    prompt,
    ...(schema && { schema }),
    ...(agent && { agent }),
    ...(assignee && { assignee }),
    ...(role !== undefined && { role }),
    ...(call && { call }),
    ...(expiresAt && { expiresAt }),
  });
}

/** Of one that waits no more. */
export function answerOf({ status, response, by, stage }: RequestState, patience: Patience): Answer {
  if (status === 'answered') return { status, response: response ?? null, ...(by && { by }) };
  const { onTimeout } = stageOf(patience, stage?.escalations ?? 0);
  return { status: 'expired', ...(response !== undefined && { response }), ...(typeof onTimeout === 'string' && { outcome: onTimeout }) };
}

/** Why an answer is not accepted, if so. Changes nothing, and consumes nothing. */
export function refusalOfRespond(run: AnyRun, input: unknown): Refusal | undefined {
  const checked = checkRespond(input);
  if ('problem' in checked) return { type: 'Input.Invalid', reason: checked.problem };
  const { requestId, response, by } = checked.value;
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
  if ('assignee' in asked && asked.assignee && !asked.assignee.includes(by ?? ''))
    return { type: 'Request.NotAssigned', reason: notFor(asked, by) };
  if ('createdAt' in asked && bounded.has(asked.kind) && jsonBytes(response) > sizes.entry)
    return { type: 'Input.Invalid', reason: `response is larger than ${sizes.entry / 1024} KiB. The request still waits.` };
  if ('turn' in asked && asked.turn !== undefined && untaken(run) + jsonBytes(response) > sizes.inbox)
    return { type: 'Run.Busy', reason: 'Too many answers wait to be taken up. Try again in a moment; the request still waits.' };
  const problems = 'schema' in asked && asked.schema ? problemsOfJson(response, asked.schema) : [];
  if (problems.length === 0) return undefined;
  const list = problems.map(({ path, message }) => `response${path === '' || path.startsWith('[') ? path : `.${path}`} ${message}`);
  return { type: 'Input.Invalid', reason: `${list.join('; ')}. The request still waits.` };
}

function notFor({ requestId, assignee = [] }: RequestState, by: string | undefined): string {
  const who = by === undefined ? 'the answer does not say whom it is by' : `not for ${show(by)}`;
  return `The request ${show(requestId)} is for ${assignee.map(show).join(', ')} to answer, ${by === undefined ? `and ${who}` : who}. It still waits.`;
}

/** Bytes of answers that turns have not taken yet, because something else has to come to its end first. */
function untaken({ state }: AnyRun): number {
  return state.requests.reduce(
    (sum, { turn, response }) => sum + (turn === undefined || response === undefined ? 0 : jsonBytes(response)),
    0,
  );
}

/** What a turn waits for: of these there may be many at the same time. */
const bounded = new Set(['toolApproval', 'unknownOutcome', 'review']);

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
