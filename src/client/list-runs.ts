/** Runs that Temporal still knows. One whose memo cannot be read is listed nevertheless. */
import { WorkflowClient } from '@temporalio/client';
import { defaultPayloadConverter, type Payload, type PayloadCodec } from '@temporalio/common';
import { runsOn } from '../janitor/run-references.js';
import type { ClientContext } from './context.js';
import { toRunSummary, unreadable, type RunSummary } from './summary.js';

export interface ListRuns {
  /** `open`: those that have not ended. @default 'all' */
  status?: 'open' | 'all';
  /** @default 50 */
  limit?: number;
}

export async function listRuns(context: ClientContext, { status = 'all', limit = 50 }: ListRuns): Promise<RunSummary[]> {
  const query = [runsOn(context.taskQueue), ...(status === 'open' ? [`ExecutionStatus = 'Running'`] : [])];
  const found: RunSummary[] = [];
  for await (const execution of forgivingClient(context).list({ query: query.join(' AND '), pageSize: Math.min(limit * 2, 1000) })) {
    if (execution.status.name === 'CONTINUED_AS_NEW') continue;
    found.push(toRunSummary(execution));
    if (found.length >= limit) break;
  }
  return found;
}

/** For lists: one memo that cannot be read must not hide all others. */
export function forgivingClient({ temporal }: ClientContext): WorkflowClient {
  const { connection, namespace, loadedDataConverter } = temporal.options;
  const payloadCodecs = loadedDataConverter.payloadCodecs.map(forgiving);
  return new WorkflowClient({ connection, namespace, dataConverter: { payloadCodecs } });
}

/** What it cannot decode, it says so of. */
function forgiving(codec: PayloadCodec): PayloadCodec {
  const decode = async (payload: Payload): Promise<Payload> => {
    try {
      return (await codec.decode([payload]))[0] as Payload;
    } catch {
      return defaultPayloadConverter.toPayload(unreadable) as Payload;
    }
  };
  return { encode: (payloads) => codec.encode(payloads), decode: (payloads) => Promise.all(payloads.map(decode)) };
}
