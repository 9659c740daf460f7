// A disk that can be full: a file system in memory whose size is cut down to what is on it. Only an administrator can make one.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Disk {
  readonly folder: string;
  /** Nothing more can be written. */
  fill(): void;
  relieve(): void;
  /** Forgets all that is on it. */
  remove(): void;
}

const run = (command: string, ...words: readonly string[]): boolean =>
  spawnSync(command, words, { stdio: 'ignore' }).status === 0;

/** undefined where this machine does not let us. */
export function smallDisk(bytes: number): Disk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'kiungo-soak-disk-'));
  if (!run('mount', '-t', 'tmpfs', '-o', `size=${bytes},mode=700`, 'tmpfs', folder)) {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  const resize = (size: number): void => {
    if (!run('mount', '-o', `remount,size=${size}`, folder)) throw new Error(`${folder} cannot be resized`);
  };
  return {
    folder,
    fill: () => {
      // Between looking and cutting more may have been written: then once more.
      for (let tries = 0; tries < 20; tries += 1) {
        const { bsize, blocks, bfree } = statfsSync(folder);
        if (run('mount', '-o', `remount,size=${(blocks - bfree) * bsize}`, folder)) return;
      }
      throw new Error(`${folder} cannot be filled`);
    },
    relieve: () => resize(bytes),
    remove: () => {
      run('umount', '-l', folder);
      rmSync(folder, { recursive: true });
    },
  };
}
