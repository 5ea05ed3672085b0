/** What a run's state has to look like: all of it, member by member. */
import { auditShape } from './audit.js';
import { compactionsShape } from './compaction.js';
import { entryShape, messageShape } from './entry-shape.js';
import { letterShape, nestedOriginShape, operationShape, usageShape } from './nested-state.js';
import { noticeMarkShape } from './notices.js';
import type { Shape } from './shape.js';
import { sleeperShape } from './sleeper.js';
import { terminationShape } from './termination.js';

const request: Shape = {
  fields: {
    requestId: 'string',
    kind: 'string',
    prompt: 'string',
    createdAt: 'time',
    status: 'string',
    schema: { optional: 'object' },
    assignee: { optional: { list: 'string' } },
    role: { optional: 'string' },
    escalatedFrom: { optional: { list: 'string' } },
    call: { optional: { fields: { tool: 'string', callId: 'string' } } },
    expiresAt: { optional: 'time' },
    reminders: { optional: 'count' },
    remindAt: { optional: 'time' },
    turn: { optional: 'count' },
    stage: { optional: { fields: { escalations: 'count', reminded: 'count' } } },
    operation: { optional: 'string' },
    nestedId: { optional: 'string' },
    told: { optional: noticeMarkShape },
    trail: { optional: { list: { fields: { at: 'time', what: 'string' } } } },
  },
};
const nestedRun: Shape = { fields: { name: 'string', pattern: 'string', prepared: 'string', takes: { optional: 'string' } } };
const round: Shape = {
  fields: {
    reply: { fields: { message: messageShape } },
    outcomes: { list: { nullable: { fields: { message: messageShape } } } },
    operations: { map: 'string' },
    unknown: { optional: { map: { fields: { times: 'count', reason: 'string', arguments: { optional: 'object' } } } } },
  },
};
const stepTime: Shape = { fields: { attemptMs: 'count', attempts: 'count', totalMs: 'count', heartbeatMs: 'count' } };
const failure: Shape = { fields: { type: 'string', message: 'string' } };

export const runStateShape: Shape = {
  fields: {
    conversationId: 'string',
    pattern: 'string',
    orchestration: { optional: 'string' },
    startedAt: 'time',
    team: {
      fields: {
        id: 'string',
        members: {
          list: {
            fields: {
              name: 'string',
              maxToolRounds: 'count',
              modelQueue: { optional: 'string' },
              summaryQueue: { optional: 'string' },
              nested: { optional: nestedRun },
              delegates: { optional: { map: nestedRun } },
              controls: { optional: { map: 'object' } },
              questions: { optional: { map: 'object' } },
              review: { optional: 'object' },
            },
          },
        },
      },
    },
    settings: {
      fields: {
        times: { fields: { model: stepTime, tool: stepTime } },
        searchAttributes: 'boolean',
        waitingFor: { optional: 'boolean' },
        historyEvents: { optional: 'count' },
        sleepAfterMs: { optional: { nullable: 'count' } },
        keepFinished: { optional: 'boolean' },
        audit: { optional: 'boolean' },
        notifies: { optional: 'boolean' },
      },
    },
    limits: { fields: { turns: { optional: 'count' }, tokens: { optional: 'count' }, timeMs: { optional: 'count' } } },
    options: 'object',
    transcript: {
      fields: {
        segments: { list: { fields: { id: 'string', from: 'count', count: 'count', bytes: 'count' } } },
        tail: { list: entryShape },
        head: { nullable: { fields: { part: 'string', length: 'count' } } },
      },
    },
    progress: 'object',
    turns: {
      list: {
        fields: {
          id: 'string',
          ordinal: 'count',
          agent: 'string',
          start: 'count',
          from: { optional: 'count' },
          at: 'time',
          modelCalls: 'count',
          round: { optional: round },
          operation: { optional: 'string' },
          draft: { optional: { fields: { text: 'string', position: 'count' } } },
          revisions: { optional: 'count' },
          superseded: { optional: 'boolean' },
        },
      },
    },
    lastTurn: 'count',
    rounds: 'count',
    usage: usageShape,
    inbox: { list: { fields: { id: 'string', message: messageShape } } },
    said: {
      list: { fields: { id: 'string', status: 'string', reply: { optional: 'count' }, failure: { optional: failure } } },
    },
    unanswered: { optional: { fields: { id: { optional: 'string' } } } },
    output: { optional: { fields: { text: 'string', artifact: { optional: 'string' } } } },
    cancel: { optional: { fields: { mode: 'string', reason: { optional: 'string' } } } },
    stop: { optional: { fields: { status: 'string', code: 'string', message: 'string' } } },
    ending: { optional: { fields: { status: 'string', code: 'string', message: 'string' } } },
    done: { optional: { fields: { told: { optional: 'any' }, concluded: { optional: 'any' } } } },
    shape: {
      optional: { fields: { schema: { optional: 'object' }, transform: { optional: 'string' }, agent: { optional: 'string' } } },
    },
    termination: { optional: terminationShape },
    judged: 'count',
    requests: { list: request },
    audit: { optional: auditShape },
    unheard: { optional: { fields: { tries: 'count', nextAt: 'count' } } },
    approved: { optional: { map: { list: 'string' } } },
    operations: { list: operationShape },
    post: { list: letterShape },
    nested: { optional: nestedOriginShape },
    outbox: { list: { fields: { type: 'string', key: 'string', at: 'time' } } },
    eventCount: 'count',
    steps: {
      fields: {
        current: { nullable: 'string' },
        completed: { list: 'string' },
        count: 'count',
        outputs: { map: { fields: { artifactId: 'string' } } },
        retries: 'count',
      },
    },
    continuations: 'count',
    snapshots: { optional: { fields: { every: 'count', keep: 'count' } } },
    lastSnapshot: { optional: { fields: { id: 'string', turn: 'count' } } },
    commands: { optional: { list: { fields: { id: 'string', kind: 'string', status: 'string' } } } },
    branch: { optional: 'count' },
    origin: { optional: { fields: { snapshotId: 'string', workflowId: 'string', conversationId: 'string', turn: 'count' } } },
    quietSince: { optional: 'time' },
    forgotten: { optional: 'boolean' },
    imports: { optional: { map: 'string' } },
    compactions: { optional: compactionsShape },
    resume: { optional: { list: { fields: { operationId: 'string', snapshotId: 'string', pattern: 'string' } } } },
    sleepAfterMs: { optional: { nullable: 'count' } },
    sleeper: { optional: sleeperShape },
  },
};
