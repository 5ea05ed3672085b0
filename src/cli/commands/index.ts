/** The commands, in the order of the help. */
import type { Cli } from '../cli.js';
import { addAudit } from './audit.js';
import { addCancel } from './cancel.js';
import { addChat } from './chat.js';
import { addCodecServer } from './codec-server.js';
import { addCollect } from './collect.js';
import { addDelete } from './delete.js';
import { addDemo } from './demo.js';
import { addDev } from './dev.js';
import { addDiff } from './diff.js';
import { addExport } from './export.js';
import { addFork } from './fork.js';
import { addImport } from './import.js';
import { addKey } from './key.js';
import { addList } from './list.js';
import { addLoad } from './load.js';
import { addRequests } from './requests.js';
import { addRespond } from './respond.js';
import { addResult } from './result.js';
import { addRollback } from './rollback.js';
import { addRun } from './run.js';
import { addSave } from './save.js';
import { addSay } from './say.js';
import { addSnapshots } from './snapshots.js';
import { addStart } from './start.js';
import { addStatus } from './status.js';
import { addStop } from './stop.js';
import { addTranscript } from './transcript.js';
import { addWatch } from './watch.js';
import { addWorker } from './worker.js';

export const commands: ((cli: Cli) => void)[] = [
  addDemo,
  addDev,
  addWorker,
  addRun,
  addStart,
  addSay,
  addChat,
  addStatus,
  addWatch,
  addResult,
  addRequests,
  addRespond,
  addAudit,
  addStop,
  addCancel,
  addList,
  addTranscript,
  addSave,
  addSnapshots,
  addLoad,
  addRollback,
  addFork,
  addDiff,
  addExport,
  addImport,
  addDelete,
  addCollect,
  addKey,
  addCodecServer,
];
