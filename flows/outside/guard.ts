// Sees to it that no flows process outlives an engine that was killed: a flow in an endless loop cannot notice that by itself.
// A waiting shell holds a pipe from the engine; when the pipe closes, it kills the flows process.
import { spawn } from 'node:child_process';

export interface Guard {
  /** The flows process has ended: there is nothing to guard. */
  dismiss(): void;
}

export function guardAgainstOrphan(pid: number | undefined): Guard {
  if (pid === undefined || process.platform === 'win32') return { dismiss: () => undefined };
  const shell = spawn('/bin/sh', ['-c', 'read line; kill -9 "$0"', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {},
    // Not in the terminal's group: Ctrl-C is for the engine, which stops the flows in order.
    detached: true,
  });
  // Without a shell the flows process still ends with its pipe, unless a flow blocks it.
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  return { dismiss: () => void shell.kill('SIGKILL') };
}
