/** Milliseconds that this process has worked. What a computation takes, however busy the machine is with other things. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
