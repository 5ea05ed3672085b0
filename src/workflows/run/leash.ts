/** Whoever holds it can break off a turn, once, and says why. */
import { CancellationScope } from '@temporalio/workflow';
import type { FailureType } from '../../contract/failure.js';

export class Leash {
  readonly scope = new CancellationScope({ cancellable: true });
  /** Why it was pulled, if it was. */
  reason?: { type: FailureType; message: string };

  pull(type: FailureType, message: string): void {
    if (this.reason) return;
    this.reason = { type, message };
    this.scope.cancel();
  }
}
