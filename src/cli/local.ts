/** Local mode: a server and a worker on this machine, for a command that finds none. */
import type { Config } from '../config.js';
import { checkTarget, configuredTarget, connectClient, resolveTarget } from '../connection.js';
import { withProgress } from '../dev/progress.js';
import { isRunning, readServerRecord } from '../dev/server-record.js';
import type { FoundServer } from '../dev/server.js';
import type { RunningWorker } from '../worker.js';
import type { Context } from './context.js';
import { isElsewhere, openPlace, type Place } from './place.js';
import { describeProject, type Project } from './project.js';
import { installWorkerLog } from './worker-log.js';
import { hasWorker } from './workers.js';

/**
 * The place of a command that begins or continues something. Where nobody has said which server to use, and none runs, one is
 * started in the data directory, with a worker, for as long as the command lasts.
 */
export async function openPlaceOrStart(context: Context, loadProject: () => Promise<Project>): Promise<Place> {
  const { terminal, config } = context;
  const server = (await isThere(config)) ? undefined : await startServer(context, { adopt: false });
  const place = await openPlace(context);
  if (!place.isLocal || (await place.hasWorker()) !== false) return place;
  const project = await loadProject();
  const what = server?.started ? 'No Temporal server was running: one is started, with a worker' : 'No worker was running: one is started';
  terminal.note(`${what}, for as long as this command lasts. Agents: ${describeProject(project)}. Data: ${config.dataDir}`);
  await startWorkerHere(context, project);
  return place;
}

/**
 * Finds or starts a server. It ends with the command that started it; with `adopt`, also when another one did. Not while somebody
 * else's worker uses it.
 */
export async function startServer(context: Context, { adopt }: { adopt: boolean }): Promise<FoundServer> {
  const { config, terminal, signal } = context;
  // Loaded only here: most commands do without.
  const { findOrStartServer } = await import('../dev/server.js');
  const finding = findOrStartServer({
    config,
    onProgress: (text) => signal.aborted || terminal.progress(text),
    log: (text) => signal.aborted || terminal.note(text),
  });
  let isReady = false;
  context.defer(async () => {
    // While an executable is being built there is nothing to stop; once there is a process, it is waited for.
    if (!isReady && !(await hasProcess(config.dataDir))) return;
    const found = await finding.catch(() => undefined);
    if (!found?.owned || !(found.started || adopt) || (await isUsedByOthers(config))) return;
    await found.stop();
  });
  const server = await finding;
  isReady = true;
  // Nothing more is begun once the command was interrupted.
  signal.throwIfAborted();
  terminal.clear();
  return server;
}

/** A worker in this process, until the command ends. */
export async function startWorkerHere(context: Context, { application }: Project, log: 'WARN' | 'ERROR' = 'ERROR'): Promise<RunningWorker> {
  const { config, terminal, signal } = context;
  signal.throwIfAborted();
  const starting = withProgress(
    (text) => signal.aborted || terminal.progress(text),
    () => 'Starting a worker',
    async () => {
      await installWorkerLog(terminal, log);
      const { startWorker } = await import('../worker.js');
      return await startWorker({ ...application, config });
    },
  );
  context.defer(async () => {
    const worker = await starting.catch(() => undefined);
    const draining = setTimeout(() => terminal.note('Letting running calls finish; Ctrl-C again ends at once.'), 1000);
    await worker?.stop().finally(() => clearTimeout(draining));
  });
  const worker = await starting;
  terminal.clear();
  if (worker.notice && !signal.aborted) terminal.note(terminal.noteStyle.yellow(worker.notice));
  return worker;
}

/** Is there a server to use, so that none has to be started? A configured one that does not answer is a failure, said later. */
async function isThere(config: Config): Promise<boolean> {
  if (configuredTarget(config)) return true;
  const target = await resolveTarget(config);
  if (isElsewhere(config, target)) return false;
  try {
    await checkTarget(target);
    return true;
  } catch {
    return false;
  }
}

async function hasProcess(dataDir: string): Promise<boolean> {
  const record = readServerRecord(dataDir);
  return record !== undefined && (await isRunning(record));
}

async function isUsedByOthers(config: Config): Promise<boolean> {
  try {
    const { connection, namespace } = await connectClient(config, { timeoutMs: 2000 });
    const isUsed = await hasWorker(connection, { namespace, taskQueue: config.taskQueue, exceptPid: process.pid });
    await connection.close();
    return isUsed === true;
  } catch {
    return false;
  }
}
