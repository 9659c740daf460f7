// `npm start`: reads the settings, starts the engine, says where everything is, and stops it cleanly on a signal.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Compiled code is kept between starts: about half of the start time.
enableCompileCache(join(import.meta.dirname, '..', '..', '.cache', 'compiled'));

const { ConfigError, readConfig } = await import('./config.ts');
const { createLogger, createIds, systemClock } = await import('./ambient.ts');
const { createApp } = await import('./create-app.ts');
const { welcome } = await import('./welcome.ts');

const stopLimitMs = 25_000;

const [subject, command, ...rest] = process.argv.slice(2);

try {
  if (subject !== undefined) {
    process.exitCode = await testChannels();
  } else {
    await run();
  }
} catch (error) {
  if (!(error instanceof ConfigError) && !isPlain(error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function run(): Promise<void> {
  const config = readConfig(process.env, 'kiungo.yaml');
  const logger = createLogger(config.logLevel);
  const app = await createApp(config, { clock: systemClock, ids: createIds(systemClock), logger });
  const places = await app.start();
  process.stdout.write(welcome(places));
  stopOnSignals(() => app.stop(), logger);
}

/** `npm start -- channels test <files or folders>`; the exit code is 1 when a case does not hold. */
async function testChannels(): Promise<number> {
  if (subject !== 'channels' || command !== 'test' || rest.length === 0) {
    process.stderr.write('npm start                                      starts the engine\n');
    process.stderr.write('npm start -- channels test <files or folders>  runs the cases of channels\n');
    return 2;
  }
  const { runCaseFiles } = await import('./channel-cases.ts');
  const { timeZone } = readConfig(process.env, 'kiungo.yaml');
  const mappings = join(import.meta.dirname, '..', '..', 'mappings');
  const parts = { clock: systemClock, ids: createIds(systemClock), mappings, timeZone };
  const failed = await runCaseFiles(rest, parts, (line) => process.stdout.write(`${line}\n`));
  return failed === 0 ? 0 : 1;
}

/** Errors whose message is for the person who starts the engine: a port in use, a folder that may not be written. */
function isPlain(error: unknown): error is Error {
  const code = (error as NodeJS.ErrnoException).code;
  return (
    code === 'EADDRINUSE' || code === 'EACCES' || code === 'EROFS' || (error as Error).name === 'Refusal'
  );
}

/** The first signal stops cleanly, within a limit; the second stops at once. What is kept is kept either way. */
function stopOnSignals(stop: () => Promise<void>, logger: ReturnType<typeof createLogger>): void {
  let stopping = false;
  const onSignal = (signal: string): void => {
    if (stopping) process.exit(130);
    stopping = true;
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
