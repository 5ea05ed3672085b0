import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { startWorkerHere } from '../local.js';
import { withProjectOption, type ProjectOptions } from '../options.js';
import { openPlace } from '../place.js';
import { describeProject, loadProject } from '../project.js';

/** `ostinato worker`: a worker of this project, until it is asked to stop. */
export function addWorker(cli: Cli): void {
  withProjectOption(
    cli.command('worker', 'Work on runs until Ctrl-C or SIGTERM; running calls may finish. Start as many as you like.'),
  ).action(cli.action(work));
}

async function work(context: Context, options: ProjectOptions) {
  const { terminal, machine } = context;
  const project = await loadProject(machine.cwd, options.config);
  const place = await openPlace(context);
  const worker = await startWorkerHere(context, project, 'WARN');
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
