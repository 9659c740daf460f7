// How much the reads of one Bundle may bring: its answer is held whole, and a short Bundle can ask for all there is many times over.
import type { BundleEntry } from '@medplum/fhirtypes';
import { Refusal } from '../kernel/outcomes.ts';

const mostResources = 50_000;

/** To be shown each entry that was read, which it hands back. Throws Refusal `too-large` when there are too many resources in all. */
export function createReadLimit(): (entry: BundleEntry) => BundleEntry {
  let read = 0;
  return (entry) => {
    read += resourcesIn(entry);
    if (read <= mostResources) return entry;
    throw new Refusal(
      'too-large',
      `the reads of one Bundle bring at most ${mostResources} resources; ask in several`,
    );
  };
}

const resourcesIn = ({ resource }: BundleEntry): number =>
  resource?.resourceType === 'Bundle' ? (resource.entry?.length ?? 0) + 1 : 1;
