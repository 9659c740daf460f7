// Starts parts one after the other, and stops them the other way round: what was there first for others to lean on goes last.
import type { Logger } from '../kernel/logger.ts';

/** A part of which another must stop before it than start after it stands in the list twice: once to stop, once to start. */
export interface Part {
  readonly name: string;
  readonly start?: () => unknown;
  /** Called too when `start` has failed half way, and then must do with what there is. */
  readonly stop?: () => unknown;
}

export interface InOrder {
  /** When a part cannot start, those that have are stopped again, and this rejects with its error. To be called once. */
  start(): Promise<void>;
  /** Stops what has been started. A part that cannot be stopped does not keep the others from it; the first error is thrown at the end. */
  stop(): Promise<void>;
}

export function inOrder(parts: readonly Part[], logger: Logger): InOrder {
  const begun: Part[] = [];

  const stop = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (let part = begun.pop(); part !== undefined; part = begun.pop()) {
      try {
        await part.stop?.();
      } catch (error) {
        logger.error({ part: part.name }, 'a part could not be stopped', error);
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  };
  const start = async (): Promise<void> => {
    for (const part of parts) {
      begun.push(part);
      await part.start?.();
    }
  };
  return {
    start: () =>
      start().catch(async (error: unknown) => {
        // Why the others could not be stopped is in the log; why it could not start is what a person can mend.
        await stop().catch(() => undefined);
        throw error;
      }),
    stop,
  };
}
