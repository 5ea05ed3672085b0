/** The namespace on a server of ours: there, kept for long enough, and with our search attributes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { msToTs, optionalTsToMs } from '@temporalio/common/lib/time.js';
import { searchAttributeTypes } from '../contract/names.js';
import { fail } from '../contract/failure.js';

/** A finished run can be looked at, and its conversation continued, for so long. A development server's own choice is a day. */
const retentionMs = 30 * 24 * 60 * 60 * 1000;

/** Numbers of Temporal's `IndexedValueType`. */
const indexedTypes = { Keyword: 2, KeywordList: 7 };

/** May be repeated at any time. Returns when runs can be started in it. */
export async function prepareNamespace(address: string, namespace: string, timeoutMs = 20_000): Promise<void> {
  const connection = Connection.lazy({ address });
  const deadline = Date.now() + timeoutMs;
  try {
    await connection.withDeadline(deadline, async () => {
      const { workflowService, operatorService } = connection;
      const known = await unlessNotFound(() => workflowService.describeNamespace({ namespace }));
      if (!known) {
        await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs(retentionMs) });
      } else if ((optionalTsToMs(known.config?.workflowExecutionRetentionTtl) ?? 0) < retentionMs) {
        await workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: msToTs(retentionMs) } });
      }
      // The server's caches learn of a new namespace after a second or two.
      const list = () => workflowService.listWorkflowExecutions({ namespace, pageSize: 1 });
      while (!(await unlessNotFound(list))) await sleep(100);
      const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
      const missing = Object.entries(searchAttributeTypes).filter(([name]) => customAttributes?.[name] === undefined);
      if (missing.length > 0) {
        await operatorService.addSearchAttributes({
          namespace,
          searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, indexedTypes[type]])),
        });
      }
    });
  } catch (error) {
    throw fail(
      'Connection.Failed',
      `The namespace "${namespace}" could not be prepared on the server at ${address}: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  } finally {
    await connection.close();
  }
}

async function unlessNotFound<T>(request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === 5) return undefined;
    throw error;
  }
}
