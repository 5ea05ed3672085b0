import { resolve } from 'node:path';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { keepHealthFile } from '../health-file.js';
import { startWorkerHere } from '../local.js';
import { withProjectOption, type ProjectOptions } from '../options.js';
import { openPlace } from '../place.js';
import { describeProject, loadProject } from '../project.js';

/** `ostinato worker`: a worker of this project, until it is asked to stop. */
export function addWorker(cli: Cli): void {
  withProjectOption(cli.command('worker', 'Work on runs until Ctrl-C or SIGTERM; running calls may finish. Start as many as you like.'))
    .option('--health-file <path>', 'touch this file every five seconds while the worker works, for health checks')
    .action(cli.action(work));
}

async function work(context: Context, options: ProjectOptions & { healthFile?: string }) {
  const { terminal, machine } = context;
  const project = await loadProject(machine.cwd, options.config);
  const place = await openPlace(context);
  const worker = await startWorkerHere(context, project, 'WARN');
  if (options.healthFile !== undefined) context.defer(keepHealthFile(resolve(machine.cwd, options.healthFile)));
  terminal.note(`Working on task queue "${place.taskQueue}" of namespace "${place.namespace}" at ${place.address}. Ctrl-C stops.`);
  terminal.note(`Agents: ${describeProject(project)}`);
  terminal.document({
    address: place.address,
    namespace: place.namespace,
    taskQueue: place.taskQueue,
    agents: (project.application.agents ?? []).map(({ name }) => name),
    usesStandIn: worker.usesStandIn,
    pid: process.pid,
  });
  await Promise.race([context.untilInterrupted(), worker.stopped]);
}
