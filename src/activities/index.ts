/** What the sandbox may not do itself: one file per activity. */
import type { Span } from '../contract/json.js';
import type { RunSettings } from '../contract/step.js';
import type { JanitorTimes } from '../janitor/tidy-up.js';
import type { AgentRegistry } from '../agents/registry.js';
import type { ModelProviders } from '../llm/provider.js';
import type { Notifier } from '../notify/notifier.js';
import type { Store } from '../store/store.js';
import type { ToolRegistry } from '../tools/registry.js';
import type { FunctionRegistry } from '../functions/registry.js';
import { createAdoptConversation } from './adopt-conversation.js';
import { createAdoptStates } from './adopt-states.js';
import { createAskModel } from './ask-model.js';
import { createCallFunction } from './call-function.js';
import { createCallModel } from './call-model.js';
import { createCallTool } from './call-tool.js';
import { createCompact } from './compact.js';
import { createEndSleep } from './end-sleep.js';
import { createFindMessage } from './find-message.js';
import { createLoadSnapshot } from './load-snapshot.js';
import { createLoadTeam } from './load-team.js';
import { createLookUpRun } from './look-up-run.js';
import { createNotify } from './notify.js';
import { createPublish } from './publish.js';
import { createSaveMembers } from './save-members.js';
import { createSaveSnapshot } from './save-snapshot.js';
import { createScheduleDeletion } from './schedule-deletion.js';
import { createSealSegment } from './seal-segment.js';
import { createStoreOutput } from './store-output.js';
import { createStoreTranscript } from './store-transcript.js';
import { createTeamCache } from './team-cache.js';
import { createTidyUp } from './tidy-up.js';
import { Transcripts } from './transcripts.js';
import { createWriteAudit } from './write-audit.js';

export interface ActivityDeps {
  agents: AgentRegistry;
  tools: ToolRegistry;
  functions: FunctionRegistry;
  providers: ModelProviders;
  store: Store;
  settings: RunSettings;
  /** Of sessions whose agent and options do not say. @default never */
  expireAfter?: Span | undefined;
  /** How long the janitor leaves alone what nothing refers to, and after how long it looks again in any case. In milliseconds. */
  janitor?: JanitorTimes;
  /** Who is told of requests to people. @default nobody */
  notifier?: Notifier;
}

export function createActivities(deps: ActivityDeps) {
  const transcripts = new Transcripts(deps.store.blobs);
  const teams = createTeamCache(deps.store.blobs);
  return {
    loadTeam: createLoadTeam(deps),
    callModel: createCallModel({ ...deps, transcripts, teams }),
    callTool: createCallTool({ ...deps, teams }),
    askModel: createAskModel({ ...deps, transcripts, teams }),
    callFunction: createCallFunction({ ...deps, transcripts }),
    compact: createCompact({ ...deps, transcripts, teams }),
    storeTranscript: createStoreTranscript({ store: deps.store, transcripts }),
    lookUpRun: createLookUpRun(deps),
    storeOutput: createStoreOutput(deps),
    sealSegment: createSealSegment({ store: deps.store, transcripts }),
    adoptConversation: createAdoptConversation({ store: deps.store, transcripts }),
    saveSnapshot: createSaveSnapshot(deps),
    saveMembers: createSaveMembers(deps),
    loadSnapshot: createLoadSnapshot(deps),
    adoptStates: createAdoptStates(deps),
    endSleep: createEndSleep(deps),
    scheduleDeletion: createScheduleDeletion(deps),
    tidyUp: createTidyUp(deps),
    findMessage: createFindMessage({ store: deps.store, transcripts }),
    notify: createNotify(deps),
    writeAudit: createWriteAudit(deps),
    publish: createPublish(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
