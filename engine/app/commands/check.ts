// `kiungo check`: whether the store agrees with itself. Exit code 1 when it does not.
import { hl7Format } from '../../../adapters/hl7/format.ts';
import { parseResource } from '../../fhir/exact-json.ts';
import { fhirFormat } from '../../messages/fhir-format.ts';
import { createFormats } from '../../messages/formats.ts';
import { findableIn } from '../../messages/findable.ts';
import { checkStore } from '../../storage/sqlite/check-store.ts';
import { storedSearchIndex, storeFile } from '../stored.ts';
import type { Command } from './command.ts';

/** More differences are counted, not told. */
const mostTold = 100;

export const checkCommand: Command = {
  usage: 'check',
  sentence:
    'Compares every index row with its resource or message and the other way round, histories and counts. Exit code 1 on any difference.',
  run: async ({ config, clock, say }) => {
    const index = await storedSearchIndex(config, clock);
    let found = 0;
    const findableOf = findableIn(createFormats([hl7Format, fhirFormat]));
    const entriesOf = (body: string) => index.entries(parseResource(body));
    for (const problem of checkStore(storeFile(config), entriesOf, findableOf)) {
      found += 1;
      if (found <= mostTold) say(problem);
    }
    if (found > mostTold) say(`… and ${found - mostTold} more`);
    say(
      found === 0
        ? 'The store agrees with itself.'
        : `${found} differences. POST /fhir/R4/$reindex mends indexes of resources; a replay mends those of messages.`,
    );
    return found === 0 ? 0 : 1;
  },
};
