/** What the sandbox may not do itself: one file per activity. */
import type { RunSettings } from '../contract/step.js';
import type { AgentRegistry } from '../agents/registry.js';
import type { ModelProviders } from '../llm/provider.js';
import type { Store } from '../store/store.js';
import type { ToolRegistry } from '../tools/registry.js';
import { createAdoptConversation } from './adopt-conversation.js';
import { createCallModel } from './call-model.js';
import { createCallTool } from './call-tool.js';
import { createLoadTeam } from './load-team.js';
import { createPublish } from './publish.js';
import { createSealSegment } from './seal-segment.js';
import { createTeamCache } from './team-cache.js';
import { Transcripts } from './transcripts.js';

export interface ActivityDeps {
  agents: AgentRegistry;
  tools: ToolRegistry;
  providers: ModelProviders;
  store: Store;
  settings: RunSettings;
}

export function createActivities(deps: ActivityDeps) {
  const transcripts = new Transcripts(deps.store.blobs);
  const teams = createTeamCache(deps.store.blobs);
  return {
    loadTeam: createLoadTeam(deps),
    callModel: createCallModel({ ...deps, transcripts, teams }),
    callTool: createCallTool({ ...deps, teams }),
    sealSegment: createSealSegment({ store: deps.store, transcripts }),
    adoptConversation: createAdoptConversation({ store: deps.store, transcripts }),
    publish: createPublish(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
