// The header X-Provenance: what the client says about its write. https://hl7.org/fhir/R4/provenance.html#header
import { headerOf } from '../auth/headers.ts';
import { allows } from '../auth/scopes.ts';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import type { ConditionalRepository } from '../repository/create-repository.ts';
import type { Exchange } from './interaction.ts';
import { parseBody } from './sent-resource.ts';

const name = 'x-provenance';

/**
 * The repository that writes what the header says along with every change; without the header as it is. Throws Refusal `bad-request` for
 * what is no Provenance, `forbidden` where the scopes do not let one be created.
 */
export function recordedBy(
  repository: ConditionalRepository,
  { actor, headers }: Pick<Exchange, 'actor' | 'headers'>,
): ConditionalRepository {
  const written = headerOf(headers, name);
  if (written === undefined) return repository;
  if (!allows(actor.scopes, 'Provenance', 'c')) {
    throw new Refusal('forbidden', 'the scopes of this token do not include Provenance.c');
  }
  // Node reads headers byte by byte; JSON is UTF-8.
  const provenance = parseBody(Buffer.from(written, 'latin1'));
  if (provenance.resourceType !== 'Provenance') {
    throw badRequest('X-Provenance holds a Provenance, as JSON', 'X-Provenance');
  }
  return repository.recording(provenance);
}
