import type { WorkflowExecutionInfo } from '@temporalio/client';
import { searchAttributes } from '../contract/names.js';

/** One line of a list. */
export interface RunSummary {
  id: string;
  pattern: string;
  /** `running`, `completed`, `stopped`, `cancelled`, `failed`; `terminated` or `timed_out` where somebody or something ended it from outside. */
  status: string;
  orchestration?: string;
  agents?: string[];
  startedAt: string;
  closedAt?: string;
  historyEvents: number;
  /** What else there is to say of it is encrypted with a key that is not here. */
  unreadable?: true;
}

/** Stands where something could not be decoded. */
export const unreadable = { $unreadable: true };

export function toRunSummary(execution: WorkflowExecutionInfo): RunSummary {
  const attributes = execution.searchAttributes;
  const memo = execution.memo ?? {};
  const orchestration = attributes[searchAttributes.pattern]?.[0] ?? memo.orchestration;
  const agents = attributes[searchAttributes.agents] ?? memo.agents;
  return {
    id: execution.workflowId,
    pattern: execution.type,
    status: statusOf(execution),
    ...(typeof orchestration === 'string' && { orchestration }),
    ...(Array.isArray(agents) && { agents: agents.map(String) }),
    startedAt: execution.startTime.toISOString(),
    ...(execution.closeTime && { closedAt: execution.closeTime.toISOString() }),
    historyEvents: execution.historyLength,
    ...(Object.values(memo).some(isUnreadable) && { unreadable: true as const }),
  };
}

function isUnreadable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '$unreadable' in value;
}

/** Temporal calls a run completed that has ended by itself, however it ended. */
function statusOf({ status, searchAttributes: attributes, memo = {} }: WorkflowExecutionInfo): string {
  const own: unknown = attributes[searchAttributes.status]?.[0] ?? memo.status;
  return status.name === 'COMPLETED' && typeof own === 'string' ? own : status.name.toLowerCase();
}
