// What each FHIR datatype is indexed under, for each type of search parameter. Values of another shape than their type's give
// nothing: whether they are valid is not search's to say. https://hl7.org/fhir/R4/search.html#ptypes
import { decimalNumber } from '../../fhir/exact-json.ts';
import { instantRange } from '../../fhir/instants.ts';
import { formatReference, referenceTarget } from '../../fhir/references.ts';
import { foldString } from '../fold-string.ts';
import { exactly } from '../number-range.ts';
import { phoneticKeys } from '../phonetic.ts';
import { canonicalTarget } from './canonical-names.ts';
import type { Collector } from './collector.ts';
import type { EntryNames } from './entry-names.ts';
import { money, quantity, quantityRange, sampledData } from './quantities.ts';
import { period, timing } from './timings.ts';

/** Indexes one value under a parameter's names. */
export type Extractor = (value: unknown, names: EntryNames, into: Collector) => void;

/** By `parameter type:datatype`. Datatypes not named here are not searched by that type of parameter. */
export const extractors: Readonly<Record<string, Extractor>> = {
  'token:Coding': coding,
  'token:CodeableConcept': codeableConcept,
  'token:Identifier': identifier,
  // The kind of contact (`phone`, `email`) stands where other tokens have their system.
  'token:ContactPoint': identifier,
  'token:boolean': plainToken,
  ...forEach('token', ['code', 'id', 'string', 'uri', 'url', 'oid', 'uuid', 'canonical'], plainToken),
  'reference:Reference': reference,
  ...forEach('reference', ['canonical'], canonicalReference),
  ...forEach('reference', ['uri', 'url', 'oid', 'uuid'], uriReference),
  ...forEach('uri', ['uri', 'url', 'oid', 'uuid'], uri),
  'uri:canonical': canonicalUri,
  ...forEach('string', ['string', 'markdown', 'code', 'id'], string),
  ...forEach('phonetic', ['string'], phonetic),
  'position:BackboneElement': position,
  'reference:Resource': containedResource,
  ...forEach('date', ['date', 'dateTime', 'instant'], date),
  'date:Period': period,
  'date:Timing': timing,
  ...forEach('number', ['decimal', 'integer', 'positiveInt', 'unsignedInt'], number),
  'number:Range': numberRange,
  ...forEach('quantity', ['Quantity', 'Age', 'Count', 'Distance', 'Duration'], quantity),
  'quantity:Money': money,
  'quantity:Range': quantityRange,
  'quantity:SampledData': sampledData,
};

export const extractorNames: ReadonlySet<string> = new Set(Object.keys(extractors));

function forEach(kind: string, types: readonly string[], extractor: Extractor): Record<string, Extractor> {
  return Object.fromEntries(types.map((type) => [`${kind}:${type}`, extractor]));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);

function coding(value: unknown, names: EntryNames, into: Collector): void {
  if (!isObject(value)) return;
  addText(value.display, names, into);
  if (typeof value.code !== 'string') return;
  into.add({ kind: 'token', parameter: names.plain, system: textOr(value.system, ''), code: value.code });
}

/** Text alone is no token. */
function codeableConcept(value: unknown, names: EntryNames, into: Collector): void {
  if (!isObject(value)) return;
  addText(value.text, names, into);
  if (!Array.isArray(value.coding)) return;
  for (const one of value.coding) coding(one, names, into);
}

/** Longer texts are found by their beginning. */
const longestText = 200;

function addText(value: unknown, names: EntryNames, into: Collector): void {
  if (typeof value !== 'string' || value === '') return;
  const folded = foldString(value.slice(0, longestText));
  into.add({ kind: 'string', parameter: names.text, value: folded, folded });
}

function identifier(value: unknown, names: EntryNames, into: Collector): void {
  if (!isObject(value) || typeof value.value !== 'string') return;
  into.add({ kind: 'token', parameter: names.plain, system: textOr(value.system, ''), code: value.value });
  if (isObject(value.type)) addType(value.type, value.value, names, into);
}

/** The kind of an identifier: with its value for :of-type, by its text for :text. */
function addType(
  type: Readonly<Record<string, unknown>>,
  value: string,
  names: EntryNames,
  into: Collector,
): void {
  addText(type.text, names, into);
  if (!Array.isArray(type.coding)) return;
  for (const one of type.coding as readonly unknown[]) {
    if (!isObject(one) || typeof one.code !== 'string') continue;
    const code = `${one.code}|${value}`;
    into.add({ kind: 'token', parameter: names.ofType, system: textOr(one.system, ''), code });
  }
}

/** A code, id, boolean …: the system is implied by the element. */
function plainToken(value: unknown, names: EntryNames, into: Collector): void {
  if (typeof value !== 'string' && typeof value !== 'boolean') return;
  into.add({ kind: 'token', parameter: names.plain, system: '', code: String(value) });
}

function reference(value: unknown, names: EntryNames, into: Collector): void {
  if (!isObject(value)) return;
  addText(value.display, names, into);
  if (isObject(value.identifier)) addIdentifier(value.identifier, names, into);
  if (typeof value.reference !== 'string') return;
  const target = referenceTarget(value.reference, into.options.base);
  if (target !== undefined) into.add({ kind: 'reference', parameter: names.plain, target });
}

function addIdentifier(
  { system, value }: Readonly<Record<string, unknown>>,
  names: EntryNames,
  into: Collector,
): void {
  if (typeof value !== 'string') return;
  into.add({ kind: 'token', parameter: names.identifier, system: textOr(system, ''), code: value });
}

/** A resource inside another (Bundle.entry) stands for a reference to itself. */
function containedResource(value: unknown, names: EntryNames, into: Collector): void {
  if (!isObject(value) || typeof value.resourceType !== 'string' || typeof value.id !== 'string') return;
  const target = formatReference(value.resourceType, value.id);
  into.add({ kind: 'reference', parameter: names.plain, target });
}

function uriReference(value: unknown, names: EntryNames, into: Collector): void {
  if (typeof value !== 'string') return;
  into.add({ kind: 'reference', parameter: names.plain, target: value });
  addWritten(value, names, into);
}

function addWritten(canonical: string, names: EntryNames, into: Collector): void {
  const target = canonicalTarget(canonical);
  if (target !== undefined) into.add({ kind: 'reference', parameter: names.written, target });
}

/** `url|version` is found with and without its version. */
function canonicalReference(value: unknown, names: EntryNames, into: Collector): void {
  if (typeof value !== 'string') return;
  const [url = value] = value.split('|', 1);
  into.add({ kind: 'reference', parameter: names.plain, target: url });
  if (url !== value) into.add({ kind: 'reference', parameter: names.plain, target: value });
  addWritten(value, names, into);
}

function uri(value: unknown, names: EntryNames, into: Collector): void {
  if (typeof value === 'string') into.add({ kind: 'uri', parameter: names.plain, value });
}

function canonicalUri(value: unknown, names: EntryNames, into: Collector): void {
  if (typeof value !== 'string') return;
  const [url = value] = value.split('|', 1);
  into.add({ kind: 'uri', parameter: names.plain, value: url });
  if (url !== value) into.add({ kind: 'uri', parameter: names.plain, value });
}

function string(value: unknown, names: EntryNames, into: Collector): void {
  if (typeof value !== 'string' || value === '') return;
  into.add({ kind: 'string', parameter: names.plain, value, folded: foldString(value) });
}

function date(value: unknown, names: EntryNames, into: Collector): void {
  const range = typeof value === 'string' ? instantRange(value, into.options.zoneOffsetMinutes) : undefined;
  if (range !== undefined) {
    into.add({ kind: 'date', parameter: names.plain, low: range.low, high: range.high });
  }
}

function number(value: unknown, names: EntryNames, into: Collector): void {
  const known = decimalNumber(value);
  if (known !== undefined) into.add({ kind: 'number', parameter: names.plain, ...exactly(known) });
}

function numberRange(value: unknown, names: EntryNames, into: Collector): void {
  if (!isObject(value)) return;
  const low = isObject(value.low) ? decimalNumber(value.low.value) : undefined;
  const high = isObject(value.high) ? decimalNumber(value.high.value) : undefined;
  if (low === undefined && high === undefined) return;
  const end = high === undefined ? Infinity : exactly(high).high;
  into.add({ kind: 'number', parameter: names.plain, low: low ?? -Infinity, high: end });
}

/** Each word by its sound. */
function phonetic(value: unknown, names: EntryNames, into: Collector): void {
  if (typeof value !== 'string') return;
  for (const word of foldString(value).split(' ', 8)) {
    for (const code of phoneticKeys(word)) {
      into.add({ kind: 'token', parameter: names.plain, system: '', code });
    }
  }
}

function position(value: unknown, names: EntryNames, into: Collector): void {
  if (!isObject(value)) return;
  const latitude = decimalNumber(value.latitude);
  const longitude = decimalNumber(value.longitude);
  if (latitude === undefined || longitude === undefined) return;
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return;
  into.add({ kind: 'position', parameter: names.plain, latitude, longitude });
}
