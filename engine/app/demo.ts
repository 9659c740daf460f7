// `npm run demo`: the engine with a sample hospital and simulated analysers that keep sending, so that a newcomer sees things move.
import { readConfig } from './config.ts';
import { Refusal } from '../kernel/outcomes.ts';
import { createIds, createLogger, systemClock as clock } from './ambient.ts';
import { createApp } from './create-app.ts';
import { claimFolder } from './demo/claim-folder.ts';
import { createFhirClient } from './demo/fhir-client.ts';
import { readHospital } from './demo/hospital.ts';
import { createLaboratory } from './demo/laboratory.ts';
import { createScreen, hints } from './demo/screen.ts';
import { createWard } from './demo/ward.ts';
import { tellFailedStart } from './failed-start.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import { welcome } from './welcome.ts';

/** A kiungo.yaml is not read: it may name a real ward as a destination. */
const noFile = '';

try {
  const config = readConfig({ KIUNGO_DATA: './data/demo', KIUNGO_LOG_LEVEL: 'warn', ...process.env }, noFile);
  // The analysers' clocks show the hospital's time.
  process.env['TZ'] = config.timeZone;
  claimFolder(config.data);
  const logger = createLogger(config.logLevel);
  const app = await createApp(config, { clock, ids: createIds(clock), logger });
  const places = await app.start();

  const screen = createScreen(clock, config.timeZone);
  const client = createFhirClient({ base: places.publicUrl, credentials: places.credentials, clock });
  const { bundle, patients } = readHospital();
  const ward = createWard({ client, screen });
  if (places.mllpPort === undefined) {
    throw new Refusal(
      'conflict',
      'the channel hl7 of this demo is stopped: start it, or delete the folder of the demo',
    );
  }
  const laboratory = createLaboratory({
    ...{ host: places.bind, port: places.mllpPort },
    ...{ client, patients, clock, screen, logger },
  });
  stopOnSignals(async () => {
    await laboratory.stop();
    await ward.stop();
    await app.stop();
  }, logger);

  process.stdout.write(welcome(places) + hints(places));
  await client.transact(bundle);
  await ward.start();
  await laboratory.start();
} catch (error) {
  tellFailedStart(error);
}
