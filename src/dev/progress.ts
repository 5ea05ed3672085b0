/** Told to a person who waits: one short sentence each time. */
export type OnProgress = (message: string) => void;

/** Says at once what is being done, and again every second with the time it has taken, until `work` ends. */
export async function withProgress<T>(onProgress: OnProgress | undefined, message: () => string, work: () => Promise<T>): Promise<T> {
  const started = Date.now();
  onProgress?.(`${message()} …`);
  const timer = setInterval(() => onProgress?.(`${message()} (${Math.round((Date.now() - started) / 1000)} s)`), 1000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
