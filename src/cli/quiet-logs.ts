/** The log of Temporal's SDK, as a person at a terminal wants it: what went wrong, and no account of its life. */
export async function quietLogs(level: 'WARN' | 'ERROR'): Promise<void> {
  const { DefaultLogger, Runtime } = await import('@temporalio/worker');
  Runtime.install({
    logger: new DefaultLogger(level),
    telemetryOptions: { logging: { forward: {}, filter: level } },
    // Ending on a signal is ours to do.
    shutdownSignals: [],
  });
}
