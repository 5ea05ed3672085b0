/** The demo's plot: agents work on a document one after another, and what they said can be talked about afterwards. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OstinatoClient, RunHandle } from '../client.js';
import type { AgentDefinition } from '../contract/agent.js';

export interface DemoCast {
  /** In speaking order. */
  agents: AgentDefinition[];
  /** Who stays for questions. */
  host: AgentDefinition;
}

const task = 'Write an article about this document for curious readers.';

/** Any worker can do it: the agents travel with the run. */
export async function startDemo({
  client,
  cast,
  document,
}: {
  client: OstinatoClient;
  cast: DemoCast;
  document: string;
}): Promise<RunHandle> {
  return await client.start('sequential', { agents: cast.agents, task: `${task}\n\n${document}` });
}

/**
 * Opens the session that goes on with the run's conversation. It is there from then on, in the server's database: whatever is killed
 * afterwards, saying something to its id continues it.
 */
export async function openSession({ client, cast, run }: { client: OstinatoClient; cast: DemoCast; run: RunHandle }): Promise<RunHandle> {
  const id = `session/${cast.host.name}/${run.id.split('/').at(-1)}`;
  const session = await client.start('session', { agents: [cast.host], conversation: run.id }, { id });
  // Once it waits it has taken the conversation over, and needs nobody for it any more.
  for (let look = 0; look < 50 && (await session.status()).status !== 'waiting'; look++) await sleep(100);
  return session;
}
