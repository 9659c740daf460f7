// Step 5 of processing: what holds for the output of every map — nothing empty, and every reference leads somewhere.
import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import type { FhirResource } from '../fhir/resource.ts';
import { collectReferences, parseReference } from '../fhir/references.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { ReadsResources } from '../repository/repository.ts';
import { deadEnd, type DeadEnd, type Mapped, type ProcessingParts } from './stages.ts';

export async function check(message: Mapped, parts: ProcessingParts): Promise<Mapped | DeadEnd> {
  if (message.meaning.kind !== 'resources') return message;
  const { bundle, map } = message.meaning;
  const fault = emptyFault(bundle.entry ?? []) ?? (await unresolvedPlace(bundle, parts.unit));
  if (fault === undefined) return message;
  return deadEnd(fault.code, `map ${map}: ${fault.text}; mend the map and replay the message`);
}

interface Fault {
  readonly code: string;
  readonly text: string;
}

/** https://hl7.org/fhir/R4/json.html: no property is null or empty. The first that is, as seen from the value: `.name[0].given`. */
function emptyPlace(value: unknown): string | undefined {
  if (value === null || value === '') return '';
  if (typeof value !== 'object') return undefined;
  return Array.isArray(value) ? emptyItem(value) : emptyElement(value as Readonly<Record<string, unknown>>);
}

function emptyItem(items: readonly unknown[]): string | undefined {
  for (let place = 0; place < items.length; place += 1) {
    const within = emptyPlace(items[place]);
    if (within !== undefined) return `[${place}]${within}`;
  }
  return items.length === 0 ? '' : undefined;
}

function emptyElement(element: Readonly<Record<string, unknown>>): string | undefined {
  let isEmpty = true;
  for (const name in element) {
    isEmpty = false;
    const within = emptyPlace(element[name]);
    if (within !== undefined) return `.${name}${within}`;
  }
  return isEmpty ? '' : undefined;
}

function emptyFault(entries: readonly BundleEntry[]): Fault | undefined {
  const place = emptyPlace(entries);
  return place === undefined ? undefined : { code: 'map-made-empty', text: `entry${place} is empty` };
}

async function unresolvedPlace(bundle: Bundle, reader: ReadsResources): Promise<Fault | undefined> {
  const entries = bundle.entry ?? [];
  const targets = new Set(entries.flatMap(targetsOf));
  for (const [index, { resource }] of entries.entries()) {
    for (const reference of resource === undefined
      ? []
      : collectReferences(resource as unknown as FhirResource)) {
      if (targets.has(reference) || (await isKnown(reference, reader))) continue;
      return { code: 'map-unresolved', text: `a reference in entry[${index}] leads to nothing` };
    }
  }
  return undefined;
}

/** What references inside the bundle may call this entry. */
function targetsOf({ fullUrl, resource }: BundleEntry): readonly string[] {
  const relative = resource?.id === undefined ? [] : [`${resource.resourceType}/${resource.id}`];
  return fullUrl === undefined ? relative : [fullUrl, ...relative];
}

/** Conditional references (`Patient?…`) are resolved, or refused, when the bundle is applied; other servers' are theirs. */
async function isKnown(reference: string, reader: ReadsResources): Promise<boolean> {
  if (reference.startsWith('urn:uuid:')) return false;
  const parsed = parseReference(reference);
  if (parsed.kind !== 'relative') return true;
  return reader.read(parsed.type, parsed.id).then(() => true, isAbsence);
}

function isAbsence(error: unknown): false {
  if (error instanceof Refusal && (error.code === 'not-found' || error.code === 'gone')) return false;
  throw error;
}
