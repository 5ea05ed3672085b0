/** What the Temporal UI and `temporal workflow list` show. No words of a conversation and no secrets go in here. */
import { setCurrentDetails, upsertMemo, upsertSearchAttributes } from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { searchAttributes } from '../../contract/names.js';
import type { RunStatus } from '../../contract/run.js';
import { keywordsOf } from '../../contract/waiting-for.js';
import type { AnyRun } from './run.js';

const keys = {
  pattern: defineSearchAttributeKey(searchAttributes.pattern, SearchAttributeType.KEYWORD),
  agents: defineSearchAttributeKey(searchAttributes.agents, SearchAttributeType.KEYWORD_LIST),
  status: defineSearchAttributeKey(searchAttributes.status, SearchAttributeType.KEYWORD),
  waitingFor: defineSearchAttributeKey(searchAttributes.waitingFor, SearchAttributeType.KEYWORD_LIST),
};

/** Again at the top of each continuation: continue-as-new drops memo and details. */
export function showRun(run: AnyRun): void {
  const name = run.state.orchestration ?? run.state.pattern;
  if (run.state.settings.searchAttributes) {
    upsertSearchAttributes([
      { key: keys.pattern, value: name },
      { key: keys.agents, value: run.agents },
      { key: keys.status, value: 'running' },
      ...waitingFor(run),
    ]);
  } else {
    upsertMemo({ orchestration: name, agents: run.agents.slice(0, 20), status: 'running' });
  }
  showDetails(run, 'started');
}

export function showEnd(run: AnyRun, status: RunStatus['status']): void {
  if (run.state.settings.searchAttributes) upsertSearchAttributes([{ key: keys.status, value: status }, ...waitingForOthers(run)]);
  else upsertMemo({ status });
  showDetails(run, status);
}

/** For people who look for what waits for them. A command, so no handler calls it: whoever waits does, and whoever goes on. */
export function showWaitingFor(run: AnyRun): void {
  const changed = waitingForOthers(run);
  if (changed.length > 0) upsertSearchAttributes(changed);
}

function waitingForOthers(run: AnyRun) {
  const before = run.waitsFor;
  // Before a run is loaded it has shown nothing, and cannot know whether it may.
  if (before === undefined) return [];
  const now = waitingFor(run);
  return run.waitsFor === before ? [] : now;
}

/** Requests of nested runs are listed at the top, and found there. */
function waitingFor(run: AnyRun) {
  const { settings, nested, requests } = run.state;
  if (!settings.waitingFor) return [];
  const value = keywordsOf(nested ? [] : requests.filter(({ status }) => status === 'pending'));
  run.waitsFor = value.join();
  return [{ key: keys.waitingFor, value }];
}

/** Of runs within: whom they wait for. */
export function showWaiting(run: AnyRun): void {
  const waiting = run.state.requests.filter(({ status }) => status === 'pending').map(({ requestId }) => requestId);
  if (waiting.length > 0) showDetails(run, `waits for a person: ${waiting.slice(0, 5).join(', ')}`);
}

/** Costs no history. */
export function showDetails(run: AnyRun, now: string): void {
  const { state } = run;
  setCurrentDetails(
    `**${state.orchestration ?? state.pattern}** – ${now}\n\n` +
      `${state.rounds} turn(s), ${state.usage.modelCalls} model call(s), ${state.usage.totalTokens} tokens, ` +
      `${run.transcript.length} entries in the transcript\n\nAgents: ${run.agents.join(', ')}`,
  );
}
