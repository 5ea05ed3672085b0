/** The requests that a run knows, its own and those of the runs it has started. A part of its state, so all of it has bounds. */
import type { Json } from '../../contract/json.js';
import { messages, nestedSignal } from '../../contract/names.js';
import type { RequestView } from '../../contract/request.js';
import { sameJson } from '../../contract/same-json.js';
import { jsonBytes, sizes } from '../../contract/size.js';
import type { Operation } from '../../state/nested-state.js';
import type { OpenTurn, RequestState } from '../../state/run-state.js';
import { requestView } from '../../state/views.js';
import { record } from './audit.js';
import { reportUp } from './post.js';
import type { AnyRun } from './run.js';

/** Requests that wait no more are kept so that an answer that comes twice is answered twice: so many, if they are small. */
const remembered = 100;
const rememberedBytes = 512 * 1024;
const rememberedPrompt = 500;

/** When prompts that wait have so many characters, further ones are cut short; nothing more of nested runs is taken in beyond so many bytes. */
const waitingPrompts = 256 * 1024;
const waitingBytes = 384 * 1024;

/** Characters. A person gets the rest from the transcript. */
const longestPrompt = 8000;
const shortPrompt = 200;

/** What a nested run tells of its requests: of those that wait no more, the last few, for the run above knows the others. */
const reportedOver = 10;
const mostReported = 150;
const reportBytes = sizes.message * 0.75;
const reportedResponse = 2 * 1024;

export function find(run: AnyRun, requestId: string): RequestState | undefined {
  return run.state.requests.find((known) => known.requestId === requestId);
}

export function add(run: AnyRun, asked: RequestState): RequestState {
  const request = { ...asked, prompt: clip(asked.prompt, promptsWaiting(run) > waitingPrompts ? shortPrompt : longestPrompt) };
  run.state.requests.push(request);
  report(run);
  return request;
}

/** It waits no more. */
export function settle(run: AnyRun, asked: RequestState, change: Partial<RequestState> & Pick<RequestState, 'status'>): void {
  move(run, asked, change);
  tidy(run);
}

/** It waits on, for somebody else or until another time. */
export function change(run: AnyRun, asked: RequestState, members: Partial<RequestState>): void {
  Object.assign(asked, members);
  report(run);
}

/** Nobody waits for it any more. */
export function withdrawOne(run: AnyRun, asked: RequestState, reason: string): void {
  run.outbox.emit('request.withdrawn', { requestId: asked.requestId, reason });
  settle(run, asked, { status: 'withdrawn' });
}

/** Of a turn that ends without waiting for them. */
export function withdrawOf(run: AnyRun, { ordinal }: OpenTurn, reason: string): void {
  for (const asked of run.state.requests.filter(({ turn }) => turn === ordinal)) {
    if (isOpen(asked)) withdrawOne(run, asked, reason);
    take(run, asked);
  }
}

/** Whoever waited for it has its answer: from now on it may be forgotten. */
export function take(run: AnyRun, asked: RequestState): void {
  if (asked.turn === undefined) return;
  delete asked.turn;
  tidy(run);
}

/** What a nested run says of its requests: they are listed and answered here as well. */
export function mirror(run: AnyRun, operation: Operation, views: readonly RequestView[]): void {
  let leftOut = 0;
  let room = waitingBytes - bytesWaiting(run);
  for (const view of views) {
    const requestId = `${operation.id}~${view.requestId}`;
    const known = find(run, requestId);
    if (known) {
      follow(run, known, view);
    } else if (view.status === 'pending') {
      const mirrored = mirrorOf(view, requestId, operation.id);
      room -= jsonBytes(mirrored);
      if (room >= 0) run.state.requests.push(mirrored);
      else leftOut += 1;
    }
  }
  if (leftOut > 0) {
    const reason = `Too much waits here already for ${leftOut} of its requests; answer them at the run "${operation.runId}".`;
    run.outbox.emit('input.refused', { handler: nestedSignal, reason });
  }
  tidy(run);
}

/** What became of requests while the run slept. */
export function takeOver(run: AnyRun, heard: readonly RequestState[]): void {
  const news = heard.filter(({ requestId, status }) => find(run, requestId)?.status !== status);
  for (const told of news) {
    const known = find(run, told.requestId);
    if (!known) arrive(run, told);
    else if (isOpen(known)) move(run, known, outcomeIn(told));
  }
  for (const told of heard.filter(({ operation, status }) => operation !== undefined && status === 'pending')) {
    const known = find(run, told.requestId);
    if (known && isOpen(known)) readdress(known, told);
  }
  if (news.length > 0) tidy(run);
}

function arrive(run: AnyRun, asked: RequestState): void {
  run.state.requests.push(asked);
  if (!isOpen(asked)) record(run, asked);
}

/** The nested run has ended: nobody there waits any more. */
export function withdraw(run: AnyRun, operation: string): void {
  const open = run.state.requests.filter((asked) => asked.operation === operation && isOpen(asked));
  for (const asked of open) move(run, asked, { status: 'withdrawn' });
  tidy(run);
}

/** When the run ends. */
export function withdrawAll(run: AnyRun): void {
  for (const asked of run.state.requests.filter(isOpen)) {
    asked.status = 'withdrawn';
    record(run, asked);
  }
}

export function isOpen({ status }: RequestState): boolean {
  return status === 'pending';
}

/** Member by member: whoever sent it may have sent more. */
function mirrorOf(view: RequestView, requestId: string, operation: string): RequestState {
  const { kind, prompt, schema, agent, call, createdAt } = view;
  const mirrored: RequestState = {
    requestId,
    kind,
    prompt: clip(prompt, longestPrompt),
    ...(schema && { schema }),
    ...(agent !== undefined && { agent }),
    ...(call && { call }),
    createdAt,
    status: 'pending',
    operation,
    nestedId: view.requestId,
  };
  readdress(mirrored, view);
  return mirrored;
}

/** Whom it is for by now, and until when. */
function readdress(known: RequestState, told: RequestView): void {
  for (const member of ['assignee', 'role', 'escalatedFrom', 'expiresAt', 'reminders', 'remindAt'] as const) delete known[member];
  const { assignee, role, escalatedFrom, expiresAt, reminders, remindAt } = told;
  Object.assign(known, {
    ...(assignee && { assignee }),
    ...(role !== undefined && { role }),
    ...(escalatedFrom && { escalatedFrom }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(reminders !== undefined && { reminders }),
    ...(remindAt !== undefined && { remindAt }),
  });
}

/** Where it was asked is the truth, but an answer that was given here may still be on its way there. */
function follow(run: AnyRun, known: RequestState, view: RequestView): void {
  const { status, response = known.response, by, answeredAt } = view;
  if (status === 'pending' && isOpen(known)) readdress(known, view);
  if (status === 'pending' || (status === known.status && sameJson(response, known.response))) return;
  if (known.status === 'answered') {
    const reason = `The answer to "${known.requestId}" did not count: meanwhile the request was ${status}${status === 'answered' ? ' otherwise' : ''}.`;
    run.outbox.emit('input.refused', { handler: messages.respond, reason });
  }
  const answer = { response, ...(by !== undefined && { by }), ...(answeredAt !== undefined && { answeredAt }) };
  const otherwise = view.response !== undefined && status === 'expired' && { response: view.response };
  move(run, known, { status, ...(status === 'answered' ? answer : otherwise) });
}

/** In the order in which they were settled: what is forgotten is the oldest. */
function move(run: AnyRun, asked: RequestState, change: Partial<RequestState>): void {
  if (change.status !== 'answered') for (const member of ['response', 'by', 'answeredAt'] as const) delete asked[member];
  record(run, { ...asked, ...change });
  Object.assign(asked, change, { prompt: clip(asked.prompt, rememberedPrompt) });
  delete asked.schema;
  delete asked.remindAt;
  run.state.requests = [...run.state.requests.filter((other) => other !== asked), asked];
}

function tidy(run: AnyRun): void {
  const over = run.state.requests.filter((asked) => !isOpen(asked) && asked.turn === undefined).reverse();
  let room = rememberedBytes;
  const forgotten = new Set(
    over.filter((asked, i) => (room -= jsonBytes(asked)) < 0 || i >= remembered).filter((asked) => asked !== over[0]),
  );
  if (forgotten.size > 0) run.state.requests = run.state.requests.filter((asked) => !forgotten.has(asked));
  report(run);
}

/** To the run that has started this one, in one signal: prompts share the room that there is, and what still does not fit is left out. */
export function report(run: AnyRun): void {
  // As long as it sleeps it knows only a part of them.
  if (!run.state.nested || run.state.sleeper) return;
  const { requests } = run.state;
  const over = requests
    .filter((asked) => !isOpen(asked))
    .slice(-reportedOver)
    .map(outcomeOf);
  const open = requests.filter(isOpen).slice(0, mostReported).map(requestView);
  const share = Math.max(shortPrompt, Math.floor(reportBytes / (4 * open.length)));
  const isMuch = jsonBytes(open) > reportBytes / 2;
  let room: number = reportBytes;
  const reported = [...over, ...open.map((view) => (isMuch ? { ...view, prompt: clip(view.prompt, share) } : view))].filter((view) => {
    const bytes = jsonBytes(view);
    if (bytes > room) return false;
    room -= bytes;
    return true;
  });
  reportUp(run, { requests: reported as unknown as Json });
}

function outcomeIn({ status, response, by, answeredAt }: RequestState): Pick<RequestState, 'status' | 'response' | 'by' | 'answeredAt'> {
  return {
    status,
    ...(response !== undefined && { response }),
    ...(by !== undefined && { by }),
    ...(answeredAt !== undefined && { answeredAt }),
  };
}

function outcomeOf(asked: RequestState): RequestView {
  const { response, prompt, ...view } = requestView(asked);
  const isSmall = response !== undefined && jsonBytes(response) <= reportedResponse;
  return { ...view, prompt: clip(prompt, shortPrompt), ...(isSmall && { response }) };
}

/** Of a thousand that are opened at once, each asks this: it may not cost much. */
function promptsWaiting({ state }: AnyRun): number {
  return state.requests.reduce((sum, asked) => sum + (isOpen(asked) ? asked.prompt.length : 0), 0);
}

function bytesWaiting({ state }: AnyRun): number {
  return jsonBytes(state.requests.filter(isOpen));
}

function clip(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
}
