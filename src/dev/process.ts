/** Processes that are not our children any more: whether one still runs, and ending it. A process id alone says nothing, it is used again. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Is this process alive, with `words` in its command line? */
export function isProcess(pid: number, words: string): boolean {
  return isAlive(pid) && commandLine(pid).includes(words);
}

/** Asks such a process to end, and makes it end when it does not. Returns when it has. */
export async function endProcess(pid: number, words: string, patienceMs = 10_000): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!isProcess(pid, words)) return;
    try {
      process.kill(pid, signal);
    } catch {
      // It ended in between.
    }
    const deadline = Date.now() + patienceMs;
    while (isProcess(pid, words) && Date.now() < deadline) await sleep(50);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Empty for a process that has ended, also while its parent has not taken notice. */
function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const [command, ...args] =
      process.platform === 'win32'
        ? ['powershell', '-NoProfile', '-Command', `(Get-CimInstance Win32_Process -Filter "ProcessId=${pid}").CommandLine`]
        : ['ps', '-ww', '-o', 'command=', '-p', String(pid)];
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
