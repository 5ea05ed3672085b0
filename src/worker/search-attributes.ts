import type { NativeConnection } from '@temporalio/worker';
import { searchAttributes } from '../contract/names.js';
import type { RunSettings } from '../contract/step.js';

/**
 * Which of our search attributes are registered in this namespace? A workflow that sets an unregistered one would be retried forever,
 * so a worker looks before any run does. Where they are missing, runs use the memo.
 */
export async function registeredAttributes(
  connection: NativeConnection,
  namespace: string,
): Promise<Pick<RunSettings, 'searchAttributes' | 'waitingFor'>> {
  const { waitingFor, ...others } = searchAttributes;
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    const isThere = (name: string) => name in (customAttributes ?? {});
    const areThere = Object.values(others).every(isThere);
    return { searchAttributes: areThere, ...(areThere && isThere(waitingFor) && { waitingFor: true }) };
  } catch {
    // A server that does not tell, or does not let us ask: the memo does.
    return { searchAttributes: false };
  }
}
