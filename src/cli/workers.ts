/** Who works on a task queue. */
import { hostname } from 'node:os';
import type { Connection } from '@temporalio/client';

export interface WorkerQuestion {
  namespace: string;
  taskQueue: string;
  /** Not counting this process of this machine. */
  exceptPid?: number;
}

/** Does a worker poll this task queue? `undefined` when the server does not say. */
export async function hasWorker(
  connection: Pick<Connection, 'workflowService' | 'withDeadline'>,
  { namespace, taskQueue, exceptPid }: WorkerQuestion,
): Promise<boolean | undefined> {
  try {
    const question = { namespace, taskQueue: { name: taskQueue }, taskQueueType: workflowTasks };
    const ask = () => connection.workflowService.describeTaskQueue(question);
    const { pollers } = await connection.withDeadline(Date.now() + 3000, ask);
    return (pollers ?? []).some(({ identity, lastAccessTime }) => {
      const polledAt = Number(lastAccessTime?.seconds ?? 0) * 1000;
      return Date.now() - polledAt < longestPollMs && isAlive(identity ?? '', exceptPid);
    });
  } catch {
    return undefined;
  }
}

/** Temporal's number for a task queue's workflow tasks. */
const workflowTasks = 1;

/** A worker that waits for work asks again after about a minute. */
const longestPollMs = 90_000;

/** The server remembers a worker that was killed for some minutes. One of this machine can be looked for: it is called `pid@host`. */
function isAlive(identity: string, exceptPid: number | undefined): boolean {
  const [, pid = '', host] = /^(\d+)@(.*)$/.exec(identity) ?? [];
  if (host !== hostname()) return true;
  if (Number(pid) === exceptPid) return false;
  try {
    return process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
