// `npm run demo`: the engine with a sample hospital and simulated analysers that keep sending, so that a newcomer sees things move.
import { Refusal } from '../kernel/outcomes.ts';
import type { Ambient } from './ambient.ts';
import { readConfig, type Config } from './read-config.ts';
import { createApp } from './create-app.ts';
import { claimFolder } from './demo/claim-folder.ts';
import { createFhirClient } from './demo/fhir-client.ts';
import { readHospital } from './demo/hospital.ts';
import { createLaboratory } from './demo/laboratory.ts';
import { createScreen, hints } from './demo/screen.ts';
import { createWard } from './demo/ward.ts';
import { runProcess, type Stop } from './run-process.ts';
import { welcome } from './welcome.ts';

/** A kiungo.yaml is not read: it may name a real ward as a destination. */
const noFile = '';
const usual = { KIUNGO_DATA: './data/demo', KIUNGO_LOG_LEVEL: 'warn' };

async function begin(config: Config, ambient: Ambient): Promise<Stop> {
  // The analysers' clocks show the hospital's time.
  process.env['TZ'] = config.timeZone;
  claimFolder(config.data);
  const { clock, logger } = ambient;
  const app = await createApp(config, ambient);
  const places = await app.start();
  process.stdout.write(welcome(places) + hints(places));

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
  await client.transact(bundle);
  await ward.start();
  await laboratory.start();
  return async () => {
    await laboratory.stop();
    await ward.stop();
    await app.stop();
  };
}

await runProcess(() => readConfig({ ...usual, ...process.env }, noFile), begin);
