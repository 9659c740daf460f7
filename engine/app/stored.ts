// Where the store lies, and what its index is made by: the same for the engine and for the commands that look at its data.
import { join } from 'node:path';
import type { Clock } from '../kernel/clock.ts';
import { loadSearchIndex } from '../search/load-index.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { Config } from './config.ts';
import { minutesEast } from './time-zone.ts';

export const storeFile = (config: Config): string => join(config.data, 'store', 'hospital.sqlite');

export const searchIndexOf = (config: Config, clock: Clock): SearchIndex =>
  loadSearchIndex({
    ...(config.publicUrl === undefined ? {} : { base: `${config.publicUrl}/fhir/R4` }),
    zoneOffsetMinutes: minutesEast(config.timeZone, clock.now()),
  });
