// `npm start`: reads the settings, starts the engine, says where everything is, and stops it cleanly on a signal.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Compiled code is kept between starts: about half of the start time.
enableCompileCache(join(import.meta.dirname, '..', '..', '.cache', 'compiled'));

const { readConfig } = await import('./config.ts');
const { createLogger, createIds, systemClock } = await import('./ambient.ts');
const { createApp } = await import('./create-app.ts');
const { tellFailedStart } = await import('./failed-start.ts');
const { stopOnSignals } = await import('./stop-on-signals.ts');
const { welcome } = await import('./welcome.ts');

try {
  const config = readConfig(process.env, 'kiungo.yaml');
  const logger = createLogger(config.logLevel);
  const app = await createApp(config, { clock: systemClock, ids: createIds(systemClock), logger });
  const places = await app.start();
  stopOnSignals(() => app.stop(), logger);
  process.stdout.write(welcome(places));
} catch (error) {
  tellFailedStart(error);
}
