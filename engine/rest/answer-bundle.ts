// What the entries of an answered transaction or batch carry, as the client prefers: https://hl7.org/fhir/R4/http.html#ops
import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes';
import { parseResource } from '../fhir/exact-json.ts';
import { createBreath } from '../repository/breath.ts';
import type { ReadsResources } from '../repository/repository.ts';
import type { Exchange } from './interaction.ts';
import { preferenceOf, type Returned } from './prefer.ts';
import { told } from './resource-answer.ts';

type Filling = (repository: ReadsResources, entry: BundleEntry) => Promise<BundleEntry>;

const fillings: Readonly<Record<Returned, Filling | undefined>> = {
  minimal: undefined,
  representation: async (repository, entry) => {
    const [type, id, , version] = entry.response?.location?.split('/') ?? [];
    if (type === undefined || id === undefined || version === undefined) return entry;
    const { body = 'null' } = await repository.readVersion(type, id, version);
    return { ...entry, resource: parseResource(body) as unknown as Resource };
  },
  OperationOutcome: async (_repository, entry) => {
    const { status = '', location } = entry.response ?? {};
    const [type = '', id = ''] = location?.split('/') ?? [];
    const outcome = told(location === undefined ? status : `${type}/${id}: ${status}`);
    return { ...entry, response: { status, ...entry.response, outcome } };
  },
};

/** Entries that carry something already, and those that were refused, stay as they are; unasked, none gets anything. */
export async function preferredBundle(
  repository: ReadsResources,
  { headers }: Exchange,
  answer: Bundle,
): Promise<Bundle> {
  const preference = preferenceOf(headers);
  const fill = preference.stated ? fillings[preference.return] : undefined;
  if (!fill || answer.entry === undefined) return answer;
  const breathe = createBreath();
  const entry: BundleEntry[] = [];
  for (const one of answer.entry) {
    await breathe();
    entry.push(isBare(one) ? await fill(repository, one) : one);
  }
  return { ...answer, entry };
}

const isBare = ({ resource, response }: BundleEntry): boolean =>
  resource === undefined && response?.outcome === undefined && response?.status.startsWith('2') === true;
