/** The workflow that deletes. All that it works off is on a list in the store: what it forgets is not forgotten. */
import {
  condition,
  defineQuery,
  defineSignal,
  makeContinueAsNewFunc,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { rouseSignal, type JanitorStatus } from '../../contract/deletion.js';
import { queries } from '../../contract/names.js';
import { tidyUp } from './activities.js';

/** What it tells of the past. */
const remembered = 20;
/** Rounds in one history. */
const mostRounds = 200;
/** Of several who rouse it at once, most are served by one round. */
const breathMs = 100;

/** Ends when there is nothing on the list; whoever puts something on it starts it again. Whatever it is started with is no matter. */
export async function keepTidy(before?: Partial<JanitorStatus>): Promise<JanitorStatus> {
  const done = Array.isArray(before?.done) ? before.done.slice(0, remembered) : [];
  const status: JanitorStatus = { count: 0, done, failing: [], unreadable: 0 };
  let isRoused = false;
  setHandler(defineQuery(queries.status), () => status, { description: 'What is due, what was done last, what fails' });
  setHandler(defineSignal(rouseSignal), () => void (isRoused = true), { description: 'Look at the list' });
  setDefaultSignalHandler(() => undefined);
  for (let rounds = 1; ; rounds++) {
    isRoused = false;
    const { seen, pauseMs, ...round } = await tidyUp()();
    const isOther = ({ workflowId }: { workflowId: string }) => !seen.includes(workflowId);
    Object.assign(status, {
      ...round,
      next: round.next,
      done: [...round.done.reverse(), ...status.done].slice(0, remembered),
      failing: [...round.failing, ...status.failing.filter(isOther)].slice(0, remembered),
    });
    if (pauseMs === undefined && !isRoused) return status;
    await condition(() => isRoused, pauseMs ?? breathMs);
    if (workflowInfo().continueAsNewSuggested || rounds >= mostRounds) await makeContinueAsNewFunc<typeof keepTidy>()(status);
  }
}
