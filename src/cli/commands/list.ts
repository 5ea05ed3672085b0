import type { Cli } from '../cli.js';
import type { Context } from '../context.js';
import { wholeNumber } from '../options.js';
import { openPlace } from '../place.js';
import { listText, moreText } from '../render/list.js';

/** `ostinato list`: runs of this environment, newest first. */
export function addList(cli: Cli): void {
  cli
    .command('list', 'Runs of this namespace and task queue that Temporal still knows, newest first.')
    .option('--open', 'only those that have not ended')
    .option('--limit <n>', 'at most so many', wholeNumber, 20)
    .action(cli.action(list));
}

async function list(context: Context, { open, limit }: { open?: boolean; limit: number }) {
  const { terminal } = context;
  const place = await openPlace(context);
  // One more tells whether there are more.
  const found = await place.client.list({ status: open ? 'open' : 'all', limit: limit + 1 });
  const runs = found.slice(0, limit);
  if (runs.length > 0) terminal.line(listText(runs, terminal.style));
  else terminal.note(`There are no ${open ? 'open ' : ''}runs on task queue "${place.taskQueue}" of namespace "${place.namespace}".`);
  const command = (atMost: number) => context.next('list', ...(open ? ['--open'] : []), '--limit', String(atMost));
  const more = moreText({ found: found.length, limit, command });
  if (more !== undefined) terminal.note(more);
  terminal.document(runs);
}
