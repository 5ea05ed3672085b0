import type { RunHandle } from '../../src/client.js';
import type { AgentStateDocument } from '../../src/state/agent-state.js';

/** The document of an agent that has brought none along: all of it is ours. */
export async function documentOf(run: RunHandle, agent?: string): Promise<AgentStateDocument> {
  return (await run.agentState(agent)) as AgentStateDocument;
}
