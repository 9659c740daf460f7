// Where the store lies, and what its index is made by: the same for the engine and for the commands that look at its data.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseResource } from '../fhir/exact-json.ts';
import type { Clock } from '../kernel/clock.ts';
import { Refusal, unavailable } from '../kernel/outcomes.ts';
import { loadSearchIndex } from '../search/load-index.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { IndexRecipe } from '../storage/index-upkeep.ts';
import { storedBodies } from '../storage/sqlite/stored-bodies.ts';
import type { Config } from './read-config.ts';
import { minutesEast } from './time-zone.ts';

export const storeFile = (config: Config): string => join(config.data, 'store', 'hospital.sqlite');

/** For commands: throws Refusal `unavailable` where no engine has made a store yet. */
export function existingStore(config: Config): string {
  const file = storeFile(config);
  if (!existsSync(file)) {
    throw unavailable(`there is no store at ${file}: start the engine once, or set KIUNGO_DATA`);
  }
  return file;
}

/** The address by which others reach the engine; undefined where a free port is to be taken, which is known only once it listens. */
export function publicUrlOf({ publicUrl, bind, httpPort }: Config): string | undefined {
  return publicUrl ?? (httpPort === 0 ? undefined : `http://${bind}:${httpPort}`);
}

/** By which the index of this engine is made, besides the SearchParameters that are stored. */
export const recipeOf = (config: Config, clock: Clock): Omit<IndexRecipe, 'added'> => ({
  base: baseOf(config),
  zoneOffsetMinutes: minutesEast(config.timeZone, clock.now()),
});

function baseOf(config: Config): string {
  const url = publicUrlOf(config);
  return url === undefined ? '' : `${url}/fhir/R4`;
}

/** The index with the stored SearchParameters in use, as the engine has it: for commands beside it. */
export async function storedSearchIndex(config: Config, clock: Clock): Promise<SearchIndex> {
  const index = loadSearchIndex(recipeOf(config, clock));
  for (const body of storedBodies(existingStore(config), 'SearchParameter')) {
    // What the engine could not take in use is not in use here.
    await index.define(parseResource(body)).catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
    });
  }
  return index;
}
