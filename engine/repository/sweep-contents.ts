// What interrupted uploads and forgotten versions have left behind is taken away: at the start of the engine, and each night.
import type { Logger } from '../kernel/logger.ts';
import type { ContentStore } from '../storage/content-store.ts';

export async function sweepContents(contents: Pick<ContentStore, 'sweep'>, logger: Logger): Promise<void> {
  const swept = await contents.sweep();
  if (swept > 0) logger.info({ contents: swept }, 'contents that no version has were taken away');
}
