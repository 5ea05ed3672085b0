/** Checks of what arrives from outside, written by hand: they run in the sandbox, on anything a signal may carry. */
import type { Json } from './json.js';
import type { CallView, RequestView } from './request.js';
import type { CancelInput, RespondInput, SayInput, StopInput } from './run.js';
import type { Message } from './message.js';
import type { AgentsToExport, ForkInput, RollbackInput, SaveInput } from './snapshot.js';
import { jsonBytes, sizes } from './size.js';
import { isTimestamp } from './timestamp.js';
import type { Usage } from './transcript.js';
import { isUndecodable } from './undecodable.js';

/** What is wrong with it, or the value as it may be used. */
export type Checked<T> = { value: T } | { problem: string };

export function checkSay(input: unknown): Checked<{ message: Message; id?: string }> {
  const object = asObject(input, 'a message, for example { "message": "…" }');
  if ('problem' in object) return object;
  const { message, id } = object.value as Partial<Record<keyof SayInput, unknown>>;
  if (id !== undefined && !isId(id)) return { problem: 'id: expected a string of 1 to 200 characters' };
  const checked = checkMessage(message);
  return 'problem' in checked ? checked : { value: { message: checked.value, ...(id !== undefined && { id }) } };
}

export function checkCancel(input: unknown): Checked<CancelInput> {
  if (input === undefined || input === null) return { value: {} };
  const object = asObject(input, 'a cancellation, for example { "mode": "graceful" }');
  if ('problem' in object) return object;
  const { mode, reason } = object.value;
  if (mode !== undefined && mode !== 'graceful' && mode !== 'immediate') return { problem: "mode: expected 'graceful' or 'immediate'" };
  if (reason !== undefined && typeof reason !== 'string') return { problem: 'reason: expected a string' };
  return { value: { ...(mode && { mode }), ...(reason && { reason: reason.slice(0, 1000) }) } };
}

export function checkRespond(input: unknown): Checked<RespondInput> {
  const object = asObject(input, 'an answer, for example { "requestId": "…", "response": "…" }');
  if ('problem' in object) return object;
  const { requestId, response, by } = object.value;
  if (typeof requestId !== 'string' || requestId === '') return { problem: 'requestId: expected the id of a request' };
  if (response === undefined) return { problem: 'response: expected an answer' };
  if (by !== undefined && by !== null && !isId(by)) return { problem: 'by: expected a string of 1 to 200 characters' };
  return { value: { requestId, response: response as Json, ...(typeof by === 'string' && { by }) } };
}

export function checkSave(input: unknown): Checked<SaveInput> {
  if (input === undefined || input === null) return { value: {} };
  const object = asObject(input, 'what to save, for example { "label": "before the review" }');
  if ('problem' in object) return object;
  const { label, agents } = object.value;
  if (label !== undefined && label !== null && !isId(label)) return { problem: 'label: expected a string of 1 to 200 characters' };
  const whose = agents ?? undefined;
  if (whose !== undefined && !isAgentsToExport(whose)) return { problem: "agents: expected 'all', 'none' or a list of names" };
  return { value: { ...(typeof label === 'string' && { label }), ...(whose !== undefined && { agents: whose }) } };
}

export function isAgentsToExport(value: unknown): value is AgentsToExport {
  return value === 'all' || value === 'none' || (Array.isArray(value) && value.every(isId));
}

export function checkRollback(input: unknown): Checked<RollbackInput> {
  const object = asObject(input, 'what to go back to, for example { "snapshotId": "…" }');
  if ('problem' in object) return object;
  const { snapshotId, turn } = object.value;
  if ((snapshotId === undefined) === (turn === undefined)) return { problem: 'expected either "snapshotId" or "turn"' };
  if (snapshotId !== undefined && !isSnapshotId(snapshotId)) return { problem: `snapshotId: ${notASnapshotId}` };
  if (turn !== undefined && !(Number.isSafeInteger(turn) && (turn as number) >= 0))
    return { problem: 'turn: expected a whole number from 0' };
  return { value: { ...(snapshotId !== undefined && { snapshotId }), ...(turn !== undefined && { turn: turn as number }) } };
}

export function checkFork(input: unknown): Checked<ForkInput> {
  if (input === undefined || input === null) return { value: {} };
  const object = asObject(input, 'what to fork, for example { "snapshotId": "…" }');
  if ('problem' in object) return object;
  const { snapshotId, as } = object.value;
  if (snapshotId !== undefined && !isSnapshotId(snapshotId)) return { problem: `snapshotId: ${notASnapshotId}` };
  if (as !== undefined && !isId(as)) return { problem: 'as: expected a workflow id of 1 to 200 characters' };
  return { value: { ...(snapshotId !== undefined && { snapshotId }), ...(as !== undefined && { as }) } };
}

const notASnapshotId = 'expected the id of a snapshot, 32 characters from 0 to f';

/** As the store names things: nothing else is ever looked for there. */
export function isSnapshotId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
}

export function checkStop(input: unknown): Checked<StopInput> {
  if (input === undefined || input === null) return { value: {} };
  const object = asObject(input, 'a reason, for example { "reason": "…" }');
  if ('problem' in object) return object;
  const { reason } = object.value;
  if (reason !== undefined && reason !== null && typeof reason !== 'string') return { problem: 'reason: expected a string' };
  return { value: { ...(typeof reason === 'string' && reason !== '' && { reason: reason.slice(0, 1000) }) } };
}

/** What a nested run tells: nobody else should, but anybody can send a signal. */
export function checkNestedReport(input: unknown): Checked<NestedReport> {
  const object = asObject(input, 'what a nested run tells');
  if ('problem' in object) return object;
  const { operationId, requests = [], ended = false, usage } = object.value;
  if (!isId(operationId)) return { problem: 'operationId: expected a string of 1 to 200 characters' };
  if (typeof ended !== 'boolean') return { problem: 'ended: expected true or false' };
  if (!Array.isArray(requests) || requests.length > 200 || !requests.every(isRequestView))
    return { problem: 'requests: expected a list of requests' };
  if (usage !== undefined && !isUsage(usage)) return { problem: 'usage: expected tokens and model calls' };
  return { value: { operationId, requests, ended, ...(usage !== undefined && { usage }) } };
}

export interface NestedReport {
  operationId: string;
  requests: RequestView[];
  ended: boolean;
  /** Of the whole run, when it has ended. */
  usage?: Usage;
}

/** Nobody has used more: a sum of such numbers is still a whole number. */
const mostTokens = 1e12;

function isUsage(value: unknown): value is Usage {
  if (typeof value !== 'object' || value === null) return false;
  const { inputTokens, outputTokens, totalTokens, modelCalls } = value as { [K in keyof Usage]: unknown };
  return [inputTokens, outputTokens, totalTokens, modelCalls].every(
    (count) => Number.isSafeInteger(count) && (count as number) >= 0 && (count as number) <= mostTokens,
  );
}

const requestStatuses: unknown[] = ['pending', 'answered', 'expired', 'withdrawn'];

/** Ids of requests grow with each run around the one that asks. */
const longestRequestId = 1000;

function isRequestView(value: unknown): value is RequestView {
  const object = asObject(value, 'a request');
  if ('problem' in object) return false;
  const { requestId, kind, prompt, schema, agent, createdAt, expiresAt, status, by, answeredAt } = object.value;
  const { assignee, role, escalatedFrom, call, reminders, remindAt } = object.value;
  return (
    typeof requestId === 'string' &&
    requestId.length > 0 &&
    requestId.length <= longestRequestId &&
    [kind, prompt].every((text) => typeof text === 'string') &&
    isTimestamp(createdAt) &&
    [expiresAt, answeredAt, remindAt].every((time) => time === undefined || isTimestamp(time)) &&
    [agent, by, role].every((name) => name === undefined || isId(name)) &&
    [assignee, escalatedFrom].every(
      (names) => names === undefined || (Array.isArray(names) && names.length <= mostNames && names.every(isId)),
    ) &&
    (call === undefined || isCallView(call)) &&
    (reminders === undefined || Number.isSafeInteger(reminders)) &&
    (schema === undefined || (typeof schema === 'object' && schema !== null && !Array.isArray(schema))) &&
    requestStatuses.includes(status)
  );
}

/** Of each that a request is passed on to. */
const mostNames = 200;

function isCallView(value: unknown): value is CallView {
  const object = asObject(value, 'a call');
  return 'value' in object && isId(object.value.tool) && typeof object.value.callId === 'string';
}

/** What a run is asked to do: a string, a message or a list of messages. `undefined` is none. */
export function checkTask(task: unknown): { messages: Message[]; problems: { path: string; message: string }[] } {
  if (task === undefined || task === null) return { messages: [], problems: [] };
  const given = Array.isArray(task) ? task : [task];
  const messages: Message[] = [];
  const problems: { path: string; message: string }[] = [];
  const problem = (path: string, message: string) => problems.length < 100 && problems.push({ path, message });
  if (given.length === 0) problem('task', 'an empty list; give at least one message');
  if (jsonBytes(task) > sizes.input) problem('task', `larger than ${sizes.input / 1024} KiB`);
  for (const [i, message] of given.entries()) {
    const checked = checkMessage(message, Array.isArray(task) ? `task[${i}]` : 'task', sizes.input);
    if ('value' in checked) messages.push(checked.value);
    else problem(...splitProblem(checked.problem));
  }
  return { messages, problems };
}

function splitProblem(problem: string): [path: string, message: string] {
  const colon = problem.indexOf(': ');
  return [problem.slice(0, colon), problem.slice(colon + 2)];
}

function checkMessage(message: unknown, path = 'message', limit: number = sizes.message): Checked<Message> {
  if (jsonBytes(message) > limit) return { problem: `${path}: larger than ${limit / 1024} KiB` };
  if (typeof message === 'string') {
    if (message.trim() === '') return { problem: `${path}: empty` };
    return { value: { role: 'user', contents: [{ $type: 'text', text: message }] } };
  }
  const object = asObject(message, 'a string or { "role", "contents" }', path);
  if ('problem' in object) return object;
  const { role, contents, authorName, createdAt, artifact } = object.value;
  if (typeof role !== 'string' || role === '') return { problem: `${path}.role: expected a string such as "user"` };
  if (!Array.isArray(contents) || contents.length === 0) return { problem: `${path}.contents: expected a list that is not empty` };
  if (authorName !== undefined && typeof authorName !== 'string') return { problem: `${path}.authorName: expected a string` };
  if (createdAt !== undefined && !isTimestamp(createdAt)) return { problem: `${path}.createdAt: expected a time as in RFC 3339` };
  if (artifact !== undefined && !isSnapshotId(artifact)) return { problem: `${path}.artifact: expected the id of a message in the store` };
  for (const [i, content] of contents.entries()) {
    const problem = problemOfContent(content);
    if (problem) return { problem: `${path}.contents[${i}]${problem}` };
  }
  return { value: message as Message };
}

/** Members that must be there, by kind of content (state contract §5.2). */
const requiredStrings: { [kind: string]: readonly string[] } = {
  text: ['text'],
  reasoning: [],
  functionCall: ['callId', 'name'],
  functionResult: ['callId'],
  error: [],
  data: ['uri'],
  uri: ['uri', 'mediaType'],
  hostedFile: ['fileId'],
  hostedVectorStore: ['vectorStoreId'],
  usage: [],
  unknown: [],
};

function problemOfContent(content: unknown): string | undefined {
  const object = asObject(content, 'an object with "$type"');
  if ('problem' in object) return `: ${object.problem}`;
  const kind = object.value.$type;
  if (typeof kind !== 'string' || !Object.hasOwn(requiredStrings, kind)) {
    return `.$type: expected one of ${Object.keys(requiredStrings).join(', ')}`;
  }
  if (kind === 'unknown' && !object.value.content) return '.content: expected something';
  const missing = requiredStrings[kind]?.find((member) => typeof object.value[member] !== 'string');
  return missing && `.${missing}: expected a string`;
}

function asObject(value: unknown, expected: string, path?: string): Checked<Record<string, unknown>> {
  const at = path ? `${path}: ` : '';
  if (isUndecodable(value)) return { problem: `${at}the payload cannot be decoded: ${value.reason}` };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { problem: `${at}expected ${expected}` };
  return { value: value as Record<string, unknown> };
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 200;
}
