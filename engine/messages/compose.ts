// Messages made of stored resources, as those who ask may see them: for a person who looks, and for a flow that sends.
import { parseResource } from '../fhir/exact-json.ts';
import { parseReference } from '../fhir/references.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import type { MessageMaker } from '../mapping/create-mapper.ts';
import type { Outgoing, Told } from '../mapping/outbound/render.ts';
import type { ReadsResources } from '../repository/repository.ts';
import type { Formats } from './formats.ts';

export interface Composition {
  /** The name of an outbound map. */
  readonly map: string;
  /** `ServiceRequest/1`, or one version of it. */
  readonly resource: string;
  /** The version before it. */
  readonly previous?: string;
  readonly receiver?: NonNullable<Told['receiver']>;
}

export interface Composed extends Pick<Outgoing, 'type' | 'controlId' | 'trace'> {
  readonly contentType: string;
  readonly text: string;
}

/**
 * Throws Refusal `not-found` for an unknown map or resource, `unprocessable` when no message can be made: see `MessageMaker.render`.
 * What `reader` may not see does not come into the message.
 */
export type Compose = (asked: Composition, reader: ReadsResources) => Promise<Composed>;

const contentType = 'application/hl7-v2';

export function composer(parts: { readonly mapper: MessageMaker; readonly formats: Formats }): Compose {
  return async ({ map, resource, previous, receiver }, reader) => {
    const told = {
      resource: await stored(resource, reader),
      previous: previous === undefined ? undefined : await earlier(resource, previous, reader),
      ...(receiver === undefined ? {} : { receiver }),
    };
    const made = await parts.mapper.render(map, told, (reference) => known(reference, reader));
    const { type, controlId, trace } = made;
    const bytes = parts.formats.of(contentType).renderMessage?.(made.segments) ?? new Uint8Array();
    return { type, controlId, trace, contentType, text: Buffer.from(bytes).toString('utf8') };
  };
}

/** Throws Refusal `bad-request` for what is no reference to a resource here, `not-found`, `gone`. */
async function stored(reference: string, reader: ReadsResources): Promise<FhirResource> {
  const parsed = parseReference(reference);
  if (parsed.kind !== 'relative') throw badRequest('a resource is named as Patient/1', 'resource');
  const { type, id, version } = parsed;
  const { body } = await (version === undefined
    ? reader.read(type, id)
    : reader.readVersion(type, id, version));
  if (body === undefined) throw new Refusal('gone', 'this version is a deletion');
  return parseResource(body);
}

async function earlier(reference: string, version: string, reader: ReadsResources): Promise<FhirResource> {
  const [type = '', id = ''] = reference.split('/');
  return stored(`${type}/${id}/_history/${version}`, reader);
}

const absences: readonly string[] = ['not-found', 'gone', 'forbidden'];

/** What is not here, or may not be seen, is not told. */
async function known(reference: string, reader: ReadsResources): Promise<FhirResource | undefined> {
  if (parseReference(reference).kind !== 'relative') return undefined;
  try {
    return await stored(reference, reader);
  } catch (error) {
    if (error instanceof Refusal && absences.includes(error.code)) return undefined;
    throw error;
  }
}
