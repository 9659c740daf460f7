// A read within a Bundle whose url is more than a resource, a version or a search over one type: the interaction that answers it alone
// answers it here, and sees what the Bundle has done. https://hl7.org/fhir/R4/http.html#transaction
import { STATUS_CODES } from 'node:http';
import type { BundleEntry, Resource } from '@medplum/fhirtypes';
import { Refusal } from '../kernel/outcomes.ts';
import type { BundleRead, BundleReader, ReadsResources } from '../repository/repository.ts';
import { shownResource } from './answer-format.ts';
import { checkAllowed } from './check-allowed.ts';
import { createRouter, type Routed } from './fhir-router.ts';
import { generalParameters, refuseCounting } from './general.ts';
import {
  answersWithOne,
  fhirPath,
  type Exchange,
  type FhirAnswer,
  type FhirParts,
  type Interaction,
} from './interaction.ts';

const nothing = new Refusal('not-found', 'there is nothing here');

/** `offered`: those that change something are not asked. */
export function createBundleReads(
  offered: readonly Interaction[],
): (parts: FhirParts, exchange: Exchange) => BundleReader {
  const reads = offered.filter(({ method }) => method === 'GET');
  const route = createRouter<Interaction | Refusal>(reads, (interaction) => interaction, {
    nothingHere: nothing,
    unreadable: nothing,
    notAllowed: () => nothing,
  });
  return (parts, exchange) => async (resources, read) => {
    const { interaction, params } = routed(route('GET', `${fhirPath}/${read.path}`));
    const { type = '' } = params;
    checkAllowed(parts.index, interaction, exchange.actor, type);
    const general = generalParameters(read.query);
    const many = !answersWithOne.has(interaction.name);
    if (!many) refuseCounting(general);
    const asked = exchangeOf(exchange, params, general.query, read);
    const answer = await interaction.answer(seeing(parts, resources), asked);
    const resource = await shownResource(parts, answer, { format: 'json', general, many });
    return entryOf(answer, resource as Resource | undefined, read.method === 'HEAD');
  };
}

/** Throws the Refusal where no interaction is. */
function routed(found: Routed<Interaction | Refusal> | undefined): {
  readonly interaction: Interaction;
  readonly params: Routed['params'];
} {
  const { endpoint, params } = found ?? { endpoint: nothing, params: {} };
  if (endpoint instanceof Refusal) throw endpoint;
  return { interaction: endpoint, params };
}

/** The parts, but read is what `resources` see. */
const seeing = (parts: FhirParts, resources: ReadsResources): FhirParts => ({
  ...parts,
  repository: {
    ...parts.repository,
    as: (actor) => ({ ...parts.repository.as(actor), ...resources }),
  },
});

function exchangeOf(
  exchange: Exchange,
  { type = '', id = '', version = '', compartment = '' }: Routed['params'],
  query: string,
  { ifNoneMatch, ifModifiedSince }: BundleRead,
): Exchange {
  const headers = {
    prefer: exchange.headers['prefer'],
    ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }),
    ...(ifModifiedSince === undefined ? {} : { 'if-modified-since': ifModifiedSince }),
  };
  return { ...exchange, type, id, version, compartment, query, headers, body: noBytes };
}

const noBytes = new Uint8Array();

function entryOf(
  { status, headers }: FhirAnswer,
  resource: Resource | undefined,
  isHead: boolean,
): BundleEntry {
  const lastModified = resource?.meta?.lastUpdated;
  const etag = headers?.['etag'];
  const response = {
    status: `${status} ${STATUS_CODES[status] ?? ''}`.trim(),
    ...(etag === undefined ? {} : { etag, ...(lastModified === undefined ? {} : { lastModified }) }),
  };
  return { ...(resource === undefined || isHead ? {} : { resource }), response };
}
