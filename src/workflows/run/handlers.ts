/**
 * Queries, updates and signals. Registered before the first await; they never await and never throw: an unguarded signal that
 * throws makes Temporal retry the workflow task forever. An update can refuse; a refused signal becomes an event.
 */
import { currentUpdateInfo, defineQuery, defineSignal, defineUpdate, setDefaultSignalHandler, setHandler } from '@temporalio/workflow';
import { fail } from '../../contract/failure.js';
import { checkCancel, checkNestedReport } from '../../contract/guards.js';
import { commands, messages, nestedSignal, queries } from '../../contract/names.js';
import { checkPlainJson } from '../../contract/plain-json.js';
import { sizes } from '../../contract/size.js';
import { auditOf, checkpointOf, requestView } from '../../state/views.js';
import { acceptCommand, refusalOfCommand } from './commands.js';
import { accept, acceptStop, refusalOfSay, refusalOfStop, requestCancel, type Refusal } from './inbox.js';
import { mirror } from './request-list.js';
import { acceptRespond, refusalOfRespond } from './requests.js';
import type { AnyRun } from './run.js';
import { showWaiting } from './visibility.js';
import { agentStateOf, snapshotOf, statusOf, transcriptOf, turnOf } from './views.js';

export function registerHandlers(run: AnyRun): void {
  setHandler(defineQuery(queries.status), () => statusOf(run), { description: 'Where the run is' });
  setHandler(defineQuery(queries.checkpoint), () => checkpointOf(run.state), { description: 'Where the run is, for machines' });
  setHandler(defineQuery(queries.transcript), (page?: unknown) => transcriptOf(run, page), {
    description: 'A page of what has been said: {after?, limit?}',
  });
  setHandler(defineQuery(queries.state), (page?: unknown) => agentStateOf(run, page), {
    description: "A page of an agent's state document: {agent, after?, limit?}",
  });
  setHandler(defineQuery(queries.requests), () => run.state.requests.map(requestView), { description: 'What people are asked' });
  setHandler(defineQuery(queries.audit), () => auditOf(run.state), { description: 'The record of requests, its newest part' });
  setHandler(defineQuery(queries.turn), (which?: unknown) => turnOf(run, which), { description: 'What became of a message: {turnId}' });

  setHandler(defineQuery(queries.snapshot), () => snapshotOf(run, { at: new Date().toISOString(), reason: 'asked' }), {
    description: 'What a run that has ended would be saved as',
  });

  const handlers = handlersOf(run);
  // What came before the handlers is handed to each as it is registered. A signal of that kind is always older than an update.
  for (const [name, handler] of handlers) setSignalHandler(run, name, handler);
  setHandler(defineSignal<[unknown]>(nestedSignal), (report) => hearNested(run, report), { description: 'Between a run and its members' });
  setDefaultSignalHandler((name) => refused(run, name, 'No signal of this name is known here.'));
  for (const [name, handler] of handlers) setUpdateHandler(run, name, handler);
  for (const kind of Object.values(commands)) setUpdateHandler(run, kind, commandOf(run, kind));
}

function commandOf(run: AnyRun, kind: keyof typeof commands): MessageHandler {
  return {
    description: commandDescriptions[kind],
    refuse: (input) => refusalOfCommand(run, kind, input),
    accept: (input, updateId) => acceptCommand(run, kind, input, updateId),
  };
}

const commandDescriptions = {
  save: 'Keep a snapshot: {label?, agents?}',
  rollback: 'Go back to a snapshot: {snapshotId} or {turn}',
  fork: 'Start another run from a snapshot: {snapshotId?, as?}',
};

interface MessageHandler {
  description: string;
  refuse: (input: unknown) => Refusal | undefined;
  accept: (input: unknown, updateId?: string) => unknown;
}

/** Each message comes by update and by signal with the same payload. */
function handlersOf(run: AnyRun): [name: string, handler: MessageHandler][] {
  const say: MessageHandler = {
    description: 'Say something: {message, id?}',
    refuse: (input) => refusalOfSay(run, input),
    accept: (input, updateId) => accept(run, input, updateId),
  };
  const cancel: MessageHandler = {
    description: 'End the run: {mode?: graceful | immediate, reason?}',
    refuse: (input) => {
      const checked = checkCancel(input);
      return 'problem' in checked ? { type: 'Input.Invalid', reason: checked.problem } : undefined;
    },
    accept: (input) => requestCancel(run, input),
  };
  const respond: MessageHandler = {
    description: 'Answer a request: {requestId, response, by?}',
    refuse: (input) => refusalOfRespond(run, input),
    accept: (input) => acceptRespond(run, input),
  };
  const stop: MessageHandler = {
    description: 'Meet the condition "external": {reason?}',
    refuse: (input) => refusalOfStop(run, input),
    accept: (input) => acceptStop(run, input),
  };
  return [
    [messages.say, say],
    [messages.cancel, cancel],
    [messages.respond, respond],
    [messages.stop, stop],
  ];
}

/** Whatever it is, it is news for those who wait. */
function heard(run: AnyRun): void {
  run.traffic.heard += 1;
  run.quiet.touch();
}

function hearNested(run: AnyRun, input: unknown): void {
  heard(run);
  const problem = refusalOfDocument(input)?.reason;
  const checked = problem ? { problem } : checkNestedReport(input);
  if ('problem' in checked) return refused(run, nestedSignal, checked.problem);
  const { operationId, requests, ended, usage } = checked.value;
  const operation = run.state.operations.find(({ id }) => id === operationId);
  // One that has been given up may still say something.
  if (!operation) return;
  if (requests.length > 0) {
    mirror(run, operation, requests);
    showWaiting(run);
  }
  if (ended) Object.assign(operation, { ended, ...(usage && { usage }) });
}

function setUpdateHandler(run: AnyRun, name: string, { description, refuse, accept: take }: MessageHandler): void {
  const hear = (input: unknown) => {
    heard(run);
    return take(input, currentUpdateInfo()?.id);
  };
  setHandler(defineUpdate<unknown, [unknown]>(name), hear, {
    description,
    validator: (input) => {
      const refusal = refusalOfDocument(input) ?? refuse(input);
      if (refusal) throw fail(refusal.type, refusal.reason, { final: true });
    },
  });
}

function setSignalHandler(run: AnyRun, name: string, { description, refuse, accept: take }: MessageHandler): void {
  const hear = (input: unknown) => {
    heard(run);
    const refusal = refusalOfDocument(input) ?? refuse(input);
    if (refusal) refused(run, name, refusal.reason);
    else take(input);
  };
  setHandler(defineSignal<[unknown]>(name), hear, { description });
}

/** Before anything else looks at it: `JSON.stringify` of what is nested deep enough throws. */
function refusalOfDocument(input: unknown): Refusal | undefined {
  const problems = checkPlainJson(input, sizes.message);
  if (problems === 'too large') return { type: 'Input.Invalid', reason: `larger than ${sizes.message / 1024} KiB` };
  const [first] = problems;
  return first && { type: 'Input.Invalid', reason: `${first.path || 'the message'} ${first.message}` };
}

function refused(run: AnyRun, handler: string, reason: string): void {
  run.outbox.emit('input.refused', { handler: handler.slice(0, 200), reason: reason.slice(0, 500) });
}
