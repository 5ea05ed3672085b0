import type { RecordedAgent, TeamDocument } from '../contract/agent.js';
import { fail } from '../contract/failure.js';
import type { BlobStore } from '../store/store.js';

/** Teams do not change, so what was read once is right for ever. At most a few megabytes. */
const mostTeams = 32;

export interface TeamCache {
  /**
   * An agent as it was when its run started.
   *
   * @throws `Store.Unavailable` when the store has lost the team · `State.Unreadable` when it is damaged
   */
  loadRecordedAgent(teamId: string, agent: string): Promise<RecordedAgent>;
}

/** The teams that this worker used lately. */
export function createTeamCache(blobs: Pick<BlobStore, 'get'>, most = mostTeams): TeamCache {
  const teams = new Map<string, Promise<TeamDocument>>();

  const load = (id: string): Promise<TeamDocument> => {
    const team = teams.get(id) ?? readTeam(blobs, id);
    teams.delete(id);
    teams.set(id, team);
    team.catch(() => teams.get(id) === team && teams.delete(id));
    for (const oldest of teams.keys()) {
      if (teams.size <= most) break;
      teams.delete(oldest);
    }
    return team;
  };

  return {
    async loadRecordedAgent(teamId, agent) {
      const found = (await load(teamId)).agents.find(({ name }) => name === agent);
      if (found) return found;
      throw fail('State.Unreadable', `The recorded team ${teamId} has no agent "${agent}".`);
    },
  };
}

async function readTeam(blobs: Pick<BlobStore, 'get'>, id: string): Promise<TeamDocument> {
  const text = await blobs.get(id);
  if (text === undefined)
    throw fail('Store.Unavailable', `The store has no team ${id}. Does this worker use the same store as the others?`);
  let team: unknown;
  try {
    team = JSON.parse(text);
  } catch (cause) {
    throw fail('State.Unreadable', `The recorded team ${id} is damaged; it is left as it is.`, { cause });
  }
  if (!isTeam(team)) throw fail('State.Unreadable', `What the store holds under ${id} is not a team; it is left as it is.`);
  return team;
}

function isTeam(value: unknown): value is TeamDocument {
  const agents = (value as Partial<TeamDocument> | null)?.agents;
  return Array.isArray(agents) && agents.every((agent) => typeof agent?.name === 'string' && Array.isArray(agent.tools));
}
