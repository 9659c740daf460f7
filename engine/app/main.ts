// `npm start`: the engine, until a signal ends it.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Compiled code is kept between starts: about half of the start time. Threads take it from the environment: without it each of them would load
// what strips types, 20 MB.
const compiled = join(import.meta.dirname, '..', '..', '.cache', 'compiled');
enableCompileCache(compiled);
process.env['NODE_COMPILE_CACHE'] = compiled;

const { readConfig } = await import('./read-config.ts');
const { runProcess } = await import('./run-process.ts');

await runProcess(
  () => readConfig(process.env, 'kiungo.yaml'),
  async (config, ambient) => {
    const { createApp } = await import('./create-app.ts');
    const { welcome } = await import('./welcome.ts');
    const app = await createApp(config, ambient);
    // Told by whoever renews certificates. Of a terminal that closes it ends the process, as ever.
    if (!process.stdin.isTTY) process.on('SIGHUP', () => app.renewCertificates());
    process.stdout.write(welcome(await app.start()));
    return () => app.stop();
  },
);
