import type { NativeConnection } from '@temporalio/worker';
import { searchAttributes } from '../contract/names.js';

/**
 * Are our search attributes registered in this namespace? A workflow that sets an unregistered one would be retried forever,
 * so a worker looks before any run does. Where they are missing, runs use the memo.
 */
export async function hasSearchAttributes(connection: NativeConnection, namespace: string): Promise<boolean> {
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return Object.values(searchAttributes).every((name) => name in (customAttributes ?? {}));
  } catch {
    // A server that does not tell, or does not let us ask: the memo does.
    return false;
  }
}
