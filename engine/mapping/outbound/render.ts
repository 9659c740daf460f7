// One message made of a resource and what it refers to. Pure but for what it reads: the same versions give the same message.
import { createHash } from 'node:crypto';
import type { FhirResource } from '../../fhir/resource.ts';
import type { TimeZone } from '../hl7-time.ts';
import type { TraceLine } from '../mapper.ts';
import type { OutgoingSegment } from '../outgoing-message.ts';
import { exactTexts } from './exact-texts.ts';
import { holds, type Names } from './evaluate.ts';
import type { Run } from './fillers.ts';
import { cannot, made } from './make-segments.ts';
import type { EventRow, OutboundMap, Part, Reading } from './outbound-map.ts';

/** What a message tells of. */
export interface Told {
  readonly resource: FhirResource;
  /** The version before, where there was one: what happened is told by the step between both. */
  readonly previous: FhirResource | undefined;
  /** MSH-5 and MSH-6. */
  readonly receiver?: { readonly application?: string; readonly facility?: string };
}

export interface Outgoing {
  /** `ADT^A01` */
  readonly type: string;
  /** MSH-10: the same for the same step of the same resource, so that a message that is sent again is known again. */
  readonly controlId: string;
  readonly segments: readonly OutgoingSegment[];
  /** Which element made which field by which rule. */
  readonly trace: readonly TraceLine[];
}

/** What is known under a reference; undefined where nothing is, or nothing that may be seen. */
export type ReadReference = (reference: string) => Promise<FhirResource | undefined>;

export interface RenderParts {
  readonly settings: ReadonlyMap<string, string>;
  readonly zone: TimeZone;
  readonly read: ReadReference;
}

/** More than a message of this kind names. */
const mostRead = 1_000;

/** Throws Refusal `unprocessable` when the map does not tell of this step, or what its message must hold is not there. */
export async function render(map: OutboundMap, told: Told, parts: RenderParts): Promise<Outgoing> {
  if (told.resource.resourceType !== map.of) throw cannot(`the map ${map.name} is of a ${map.of}`);
  const names = await gather(map, told, parts);
  const row = map.events.find(({ when }) => when === undefined || holds(when(names[map.as], names)));
  if (row === undefined) throw cannot(`the map ${map.name} tells nothing of this step of the ${map.of}`);
  const message = headerOf(map, row, told);
  const run: Run = {
    names: { ...names, message, event: row.event },
    zone: parts.zone,
    trace: [],
    echo: () => [],
  };
  const segments = map.parts.flatMap((part) => made(part, run.names[map.as], run));
  return { type: `${map.code}^${row.event}`, controlId: message.controlId, segments, trace: run.trace };
}

/** All that expressions can ask for, the message itself aside. */
async function gather(map: OutboundMap, told: Told, { settings, read }: RenderParts): Promise<Names> {
  const names: Record<string, unknown> = { was: [], index: '1', message: [], event: [] };
  for (const [name, value] of settings) names[name] = value;
  names[map.as] = exactTexts(told.resource);
  if (told.previous !== undefined) names['was'] = exactTexts(told.previous);
  const contained = containedIn(told.resource);
  const find: ReadReference = async (reference) =>
    reference.startsWith('#') ? contained.get(reference.slice(1)) : read(reference);
  for (const reading of map.readings) {
    names[reading.name] = await readAll(reading, names[map.as], names, find);
  }
  forEachMember(map.parts, (name) => (names[name] ??= []));
  return names;
}

export function forEachMember(parts: readonly Part[], name: (member: string) => void): void {
  for (const part of parts) {
    if (part.as !== undefined) name(part.as);
    forEachMember(part.parts, name);
  }
}

function containedIn(resource: FhirResource): ReadonlyMap<string, FhirResource> {
  const { contained = [] } = resource as { readonly contained?: readonly FhirResource[] };
  return new Map(contained.map((inner) => [inner.id ?? '', inner]));
}

async function readAll(
  reading: Reading,
  focus: unknown,
  names: Names,
  find: ReadReference,
): Promise<unknown> {
  const found: unknown[] = [];
  const asked = reading.references(focus, names).filter((value) => typeof value === 'string');
  if (asked.length > mostRead) throw cannot(`more than ${mostRead} references to a ${reading.type}`);
  for (const reference of new Set(asked)) {
    const resource = await find(reference);
    if (resource?.resourceType === reading.type) found.push(exactTexts(resource));
  }
  if (found.length === 0 && reading.needed !== undefined) throw cannot(reading.needed);
  return found;
}

interface Header extends Record<string, string | undefined> {
  readonly controlId: string;
}

function headerOf(map: OutboundMap, row: EventRow, { resource, previous, receiver }: Told): Header {
  const version = resource.meta?.versionId ?? '';
  const step = [map.name, row.event, map.of, resource.id ?? '', version, previous?.meta?.versionId ?? ''];
  const digest = createHash('sha256').update(JSON.stringify(step)).digest('hex');
  return {
    // MSH-10 takes 20 characters. HL7 2.5.1, 2.15.9.10.
    controlId: digest.slice(0, 20).toUpperCase(),
    code: map.code,
    event: row.event,
    structure: row.structure,
    at: resource.meta?.lastUpdated,
    receivingApplication: receiver?.application,
    receivingFacility: receiver?.facility,
  };
}
