// FHIR JSON as messages: what a server answers, or sends in. A transaction is carried out; of anything else a map that its channel
// names makes what it says, and without one it is kept and set aside, since ids of another server say nothing here. https://hl7.org/fhir/R4/http.html#transaction
import type { Bundle } from '@medplum/fhirtypes';
import { parseResource } from '../fhir/exact-json.ts';
import type { FhirResource } from '../fhir/resource.ts';
import type { Issue } from '../mapping/wire-message.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { Envelope, MessageFormat } from './ports.ts';

const notFhir = { code: 'fhir-unreadable', text: 'the message is no FHIR resource in JSON' } as const;

export const fhirFormat: MessageFormat = {
  // Many servers call it no more than JSON.
  mediaTypes: ['application/fhir+json', 'application/json'],
  identify: (raw) => envelopeOf(read(raw)),
  parse: (raw) => {
    const resource = read(raw);
    const issue: Issue = { severity: 'error', ...notFhir };
    if (resource === undefined) return { message: undefined, issues: [issue] };
    const message = { format: 'fhir', type: resource.resourceType, segments: [], resource } as const;
    const bundle = transactionIn(resource);
    return { message: bundle === undefined ? message : { ...message, bundle }, issues: [] };
  },
  // Whoever sends FHIR is answered by HTTP.
  renderAcknowledgement: () => new Uint8Array(),
};

function read(raw: Uint8Array): FhirResource | undefined {
  try {
    return parseResource(raw);
  } catch (error) {
    if (error instanceof Refusal || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function transactionIn(resource: FhirResource): Bundle | undefined {
  const bundle = resource as unknown as Bundle;
  return resource.resourceType === 'Bundle' && bundle.type === 'transaction' ? bundle : undefined;
}

const envelopeOf = (resource: FhirResource | undefined): Envelope => ({
  controlId: resource?.id ?? '',
  messageType: resource?.resourceType ?? '',
  sender: '',
  acceptWish: undefined,
  applicationWish: undefined,
  isAnswer: true,
  unreadable: resource === undefined ? notFhir : undefined,
});
