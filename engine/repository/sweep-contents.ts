// What interrupted uploads and forgotten versions have left behind is taken away: after the start of the engine, and each night.
import type { Logger } from '../kernel/logger.ts';
import type { ContentStore } from '../storage/content-store.ts';

export async function sweepContents(
  contents: Pick<ContentStore, 'sweep'>,
  logger: Logger,
  isStopped?: () => boolean,
): Promise<void> {
  const swept = await contents.sweep(isStopped);
  if (swept > 0) logger.info({ contents: swept }, 'contents that no version has were taken away');
}

export interface Sweeping {
  /** Begins, and goes on while the engine answers. */
  start(): void;
  /** Finishes the step under way; the rest is left for the next sweep. */
  stop(): Promise<void>;
}

/** The sweep after the start: nobody waits for it. */
export function createSweeping(contents: Pick<ContentStore, 'sweep'>, logger: Logger): Sweeping {
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();
  return {
    start: () => {
      running = sweepContents(contents, logger, () => isStopped).catch((error: unknown) => {
        logger.error(
          {},
          'taking away contents that no version has was broken off; tried again at night',
          error,
        );
      });
    },
    stop: async () => {
      isStopped = true;
      await running;
    },
  };
}
