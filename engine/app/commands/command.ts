// A command of `kiungo`: what a person asks of the data beside the engine.
import type { Clock } from '../../kernel/clock.ts';
import type { Config } from '../read-config.ts';

export interface CommandParts {
  readonly config: Config;
  readonly clock: Clock;
  /** Writes one line. */
  readonly say: (line: string) => void;
}

export interface Command {
  /** As it is typed, after `kiungo`. */
  readonly usage: string;
  readonly sentence: string;
  /** The exit code. Throws Refusal for what it cannot carry out. */
  run(parts: CommandParts, words: readonly string[]): Promise<number>;
}
