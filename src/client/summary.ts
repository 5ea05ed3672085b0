import type { WorkflowExecutionInfo } from '@temporalio/client';
import { searchAttributes } from '../contract/names.js';

/** One line of a list. */
export interface RunSummary {
  id: string;
  pattern: string;
  /** Temporal's word for it: `RUNNING`, `COMPLETED`, `FAILED`, `CANCELLED`, `TERMINATED`, `TIMED_OUT`. */
  status: string;
  orchestration?: string;
  agents?: string[];
  startedAt: string;
  closedAt?: string;
  historyEvents: number;
}

export function toRunSummary(execution: WorkflowExecutionInfo): RunSummary {
  const attributes = execution.searchAttributes;
  const memo = execution.memo ?? {};
  const orchestration = attributes[searchAttributes.pattern]?.[0] ?? memo.orchestration;
  const agents = attributes[searchAttributes.agents] ?? memo.agents;
  return {
    id: execution.workflowId,
    pattern: execution.type,
    status: execution.status.name,
    ...(typeof orchestration === 'string' && { orchestration }),
    ...(Array.isArray(agents) && { agents: agents.map(String) }),
    startedAt: execution.startTime.toISOString(),
    ...(execution.closeTime && { closedAt: execution.closeTime.toISOString() }),
    historyEvents: execution.historyLength,
  };
}
