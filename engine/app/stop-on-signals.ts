// Ctrl-C and a service manager's SIGTERM: the first signal stops cleanly, within a limit; a later one stops at once.
import type { Logger } from '../kernel/logger.ts';

const stopLimitMs = 25_000;
/** npm hands Ctrl-C on although the terminal has sent it already: the same one, not a second. */
const sameSignalMs = 500;

/** Ends the process with 0 when all has stopped in order, with 1 when not, with 130 when told twice. What is kept is kept either way. */
export function stopOnSignals(stop: () => Promise<void>, logger: Logger): void {
  let since: number | undefined;
  const onSignal = (signal: string): void => {
    if (since !== undefined) {
      if (performance.now() - since > sameSignalMs) process.exit(130);
      return;
    }
    since = performance.now();
    logger.info({ signal }, 'stopping: finishing what is under way');
    setTimeout(() => process.exit(1), stopLimitMs).unref();
    void stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({}, 'could not stop cleanly', error);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, onSignal);
}
