import { proxyActivities } from '@temporalio/workflow';
import type { PassingInput } from './passing.js';

interface PassingActivities {
  askModel(conversation: unknown[]): Promise<unknown>;
  lookUp(n: number): Promise<unknown>;
}

const { askModel, lookUp } = proxyActivities<PassingActivities>({ startToCloseTimeout: '1 minute' });

export async function passing({ conversation, calls }: PassingInput): Promise<void> {
  for (let n = 1; n <= calls; n++) {
    conversation.push(await askModel(conversation));
    conversation.push(await lookUp(n));
  }
}
