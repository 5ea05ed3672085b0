/** Servers and workers that end when the process that started them has ended, however it did. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Guarded {
  pid: number;
  ended: Promise<unknown>;
  /** All that it has said. */
  log(): string;
}

export interface GuardedOptions {
  /** Of this process alone: its words are in `log` there. It is removed when the process had to be ended. */
  directory: string;
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Whom it runs as. @default as we do */
  owner?: { uid: number; gid: number };
}

export async function guarded(command: string[], { directory, owner, ...where }: GuardedOptions): Promise<Guarded> {
  const child = spawn('/bin/sh', ['-c', guard, 'sh', directory, ...command], { ...owner, ...where, stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  const [pid] = (await once(child.stdout, 'data')) as [Buffer];
  return { pid: Number(String(pid)), ended, log: () => readFileSync(join(directory, 'log'), 'utf8') };
}

/** Ends the process, and removes its directory, when whoever started it has ended, and with it the pipe. */
const guard = `
  directory=$1
  shift
  exec 3<&0
  : >"$directory/log"
  "$@" >>"$directory/log" 2>&1 3<&- & guarded=$!
  echo $guarded
  (read -r _ <&3; : >"$directory/deserted"; kill -QUIT $guarded) & watcher=$!
  exec 3<&-
  wait $guarded
  if [ -e "$directory/deserted" ]; then rm -rf "$directory"; else kill $watcher; fi`;
