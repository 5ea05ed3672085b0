import type { Config } from '../config.js';
import { fail } from '../contract/failure.js';
import { hint, show } from '../contract/problems.js';
import { isFunction, type NotifyFunction, type RegisteredFunction } from '../functions/define-function.js';
import type { FunctionRegistry } from '../functions/registry.js';
import { createNotifier, type Notifier } from '../notify/notifier.js';

/**
 * Whom a worker tells of requests.
 *
 * @throws `Input.Invalid` when no function has the name given
 */
export function notifierOf(
  notify: NotifyFunction | RegisteredFunction | string | undefined,
  functions: FunctionRegistry,
  { notify: settings, taskQueue }: Config,
  namespace: string,
): Notifier | undefined {
  return createNotifier({
    function: functionOf(notify, functions),
    webhook: settings.webhook(),
    place: { namespace, taskQueue, link: settings.link },
  });
}

function functionOf(
  notify: NotifyFunction | RegisteredFunction | string | undefined,
  functions: FunctionRegistry,
): NotifyFunction | undefined {
  if (notify === undefined || typeof notify === 'function') return notify;
  if (isFunction(notify)) return asNotify(notify);
  const known = typeof notify === 'string' ? functions.get(notify) : undefined;
  if (known) return asNotify(known);
  throw fail('Input.Invalid', `notify: no function is called ${show(notify)} here; ${hint(String(notify), functions.names())}`);
}

/** A registered function has a notice as its input. There is no conversation in it. */
function asNotify({ run }: RegisteredFunction): NotifyFunction {
  const messages = () => Promise.reject(fail('Function.Failed', 'A notice brings no conversation along. Ask the client for it.'));
  return (notice, { signal }) => run(notice as never, { idempotencyKey: notice.id, attempt: 1, signal, runId: notice.run.id, messages });
}
