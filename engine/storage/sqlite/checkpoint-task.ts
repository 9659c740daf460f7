// What goes between the checkpoints and their thread: plain values, copied.
import type { ConnectionOptions } from './connection.ts';

export interface CheckpointStart {
  readonly file: string;
  readonly connection: ConnectionOptions;
}

export interface CheckpointTold {
  /** Why it failed: a full disk. The log stays as it is. */
  readonly problem?: string;
}
