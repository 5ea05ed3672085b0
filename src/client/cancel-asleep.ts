import { stopCodes } from '../contract/run.js';
import { readSnapshot } from '../state/read-snapshot.js';
import { resultOf } from '../state/views.js';
import { asleepAs, endSleep } from '../store/asleep.js';
import { readDocument } from '../store/read-document.js';
import { writeSnapshot } from '../store/write-snapshot.js';
import type { ClientContext } from './context.js';

/** It is not woken any more, and what it slept as is what it was at its end. Safe to repeat. */
export async function cancelAsleep({ store }: ClientContext, workflowId: string): Promise<void> {
  const asleep = await asleepAs(store, workflowId, Date.now());
  if (!asleep) return;
  const { snapshot, state } = readSnapshot(await readDocument(store.blobs, asleep.id));
  if (state.settings.keepFinished) {
    const result = resultOf({ ...state, stop: { status: 'cancelled', code: 'cancelled', message: stopCodes.cancelled } });
    const { head, segments } = state.transcript;
    const document = { ...snapshot, reason: 'finished' as const, outcome: { result } };
    await writeSnapshot(store, { document, head, segments, fresh: [], key: 'finished' });
  }
  await endSleep(store, workflowId);
}
