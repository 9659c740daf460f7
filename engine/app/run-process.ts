// The life of the process: reads the settings, begins, says what a person can mend when that fails, and stops in order on a signal.
import type { Logger } from '../kernel/logger.ts';
import { createIds, createLogger, systemClock, type Ambient } from './ambient.ts';
import { ConfigError, type Config } from './read-config.ts';

/** Ends in order what was begun. */
export type Stop = () => Promise<void>;

const stopLimitMs = 25_000;
/** npm hands Ctrl-C on although the terminal has sent it already: the same one, not a second. */
const sameSignalMs = 500;

/**
 * `begin` resolves when all runs. A signal before that waits for it: as the first process of a container, this one would not hear of it
 * otherwise. Ends the process with 0 when all has stopped in order, 1 when it could not begin or stop, 130 when it was told twice.
 */
export async function runProcess(
  settings: () => Config,
  begin: (config: Config, ambient: Ambient) => Promise<Stop>,
): Promise<void> {
  try {
    const config = settings();
    const logger = createLogger(config.logLevel);
    const begun = begin(config, { clock: systemClock, ids: createIds(systemClock), logger });
    stopOnSignals(async () => (await begun)(), logger);
    await begun;
  } catch (error) {
    if (!isPlain(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    // Parts that have begun would keep the process.
    process.exit(1);
  }
}

/** What is for the person who starts it: bad settings, a port in use, a folder that may not be written, maps that cannot be used. */
function isPlain(error: unknown): error is Error {
  if (error instanceof ConfigError) return true;
  const { code, name } = error as NodeJS.ErrnoException;
  return name === 'Refusal' || ['EADDRINUSE', 'EACCES', 'EROFS'].includes(code ?? '');
}

/** The first signal stops cleanly, within a limit; a later one stops at once. What is kept is kept either way. */
function stopOnSignals(stop: Stop, logger: Logger): void {
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
