import type { Application } from '../../application.js';
import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { startServer, startWorkerHere } from '../local.js';
import { withProjectOption, type ProjectOptions } from '../options.js';
import { openPlace } from '../place.js';
import { describeProject, loadProject } from '../project.js';

/** `ostinato dev`: everything that a project needs, on this machine, until Ctrl-C. */
export function addDev(cli: Cli): void {
  withProjectOption(
    cli.command('dev', 'A Temporal server and a worker of your project, until Ctrl-C. What was said stays in the data directory.'),
  ).action(cli.action(dev));
}

async function dev(context: Context, options: ProjectOptions) {
  const { terminal, machine, config } = context;
  const project = await loadProject(machine.cwd, options.config);
  await startServer(context, { adopt: true });
  const place = await openPlace(context);
  const worker = await startWorkerHere(context, project, 'WARN');
  const { bold, dim, cyan } = terminal.style;
  const uiUrl = place.uiUrl();
  terminal.line(`${dim('Temporal   ')}${place.address}, namespace ${place.namespace}, task queue ${place.taskQueue}`);
  if (uiUrl) terminal.line(`${dim('Web pages  ')}${uiUrl}`);
  terminal.line(`${dim('Data       ')}${config.dataDir}`);
  terminal.line(`${dim('Agents     ')}${describeProject(project)}`);
  terminal.line();
  terminal.line(`Try, in another terminal:  ${bold(cyan(nextCommand(context, project.application)))}`);
  terminal.line(dim('Ctrl-C stops the worker and the server; what was said stays.'));
  terminal.document({
    address: place.address,
    namespace: place.namespace,
    taskQueue: place.taskQueue,
    ...(uiUrl && { uiUrl }),
    dataDir: config.dataDir,
    agents: (project.application.agents ?? []).map(({ name }) => name),
    usesStandIn: worker.usesStandIn,
    pid: process.pid,
  });
  await Promise.race([context.untilInterrupted(), worker.stopped]);
}

function nextCommand(context: Context, { agents = [] }: Application): string {
  const agent = agents.at(-1);
  return agent ? context.next('say', agent.name, 'Hello, who are you?') : context.next('list');
}
