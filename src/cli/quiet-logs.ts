/** The log of Temporal's SDK, as a person at a terminal wants it: only what went wrong. */
export async function quietLogs(): Promise<void> {
  const { DefaultLogger, Runtime } = await import('@temporalio/worker');
  // Once per process; shutting down on a signal is ours to do.
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
}
