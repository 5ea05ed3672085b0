import { proxyActivities } from '@temporalio/workflow';

interface BareActivities {
  bareStep(input: string, outputBytes: number): Promise<string>;
}

// The same options as a step of ours has, so that the same bytes are recorded.
const { bareStep } = proxyActivities<BareActivities>({
  startToCloseTimeout: '5 minutes',
  scheduleToCloseTimeout: '30 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { maximumAttempts: 6 },
});

interface BareLoopInput {
  count: number;
  modelIn: number;
  modelOut: number;
  toolIn: number;
  toolOut: number;
}

/** A model call and a tool call, and nothing around them. */
export async function bareLoop({ count, modelIn, modelOut, toolIn, toolOut }: BareLoopInput): Promise<void> {
  for (let i = 0; i < count; i++) {
    await bareStep('x'.repeat(modelIn), modelOut);
    await bareStep('x'.repeat(toolIn), toolOut);
  }
}
