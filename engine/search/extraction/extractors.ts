// What each FHIR datatype is indexed under, for each type of search parameter. Values of another shape than their type's give
// nothing: whether they are valid is not search's to say. https://hl7.org/fhir/R4/search.html#ptypes
import { decimalNumber } from '../../fhir/exact-json.ts';
import { instantRange } from '../../fhir/instants.ts';
import { referenceTarget } from '../../fhir/references.ts';
import { foldString } from '../fold-string.ts';
import { exactly } from '../number-range.ts';
import type { ParameterName } from '../plan.ts';
import type { Collector } from './collector.ts';
import { money, quantity, quantityRange, sampledData } from './quantities.ts';
import { period, timing } from './timings.ts';

/** Indexes one value under a parameter. */
export type Extractor = (value: unknown, parameter: ParameterName, into: Collector) => void;

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

function coding(value: unknown, parameter: ParameterName, into: Collector): void {
  if (!isObject(value) || typeof value.code !== 'string') return;
  into.add({ kind: 'token', parameter, system: textOr(value.system, ''), code: value.code });
}

/** Text alone is no token. */
function codeableConcept(value: unknown, parameter: ParameterName, into: Collector): void {
  if (!isObject(value) || !Array.isArray(value.coding)) return;
  for (const one of value.coding) coding(one, parameter, into);
}

function identifier(value: unknown, parameter: ParameterName, into: Collector): void {
  if (!isObject(value) || typeof value.value !== 'string') return;
  into.add({ kind: 'token', parameter, system: textOr(value.system, ''), code: value.value });
}

/** A code, id, boolean …: the system is implied by the element. */
function plainToken(value: unknown, parameter: ParameterName, into: Collector): void {
  if (typeof value !== 'string' && typeof value !== 'boolean') return;
  into.add({ kind: 'token', parameter, system: '', code: String(value) });
}

function reference(value: unknown, parameter: ParameterName, into: Collector): void {
  if (!isObject(value) || typeof value.reference !== 'string') return;
  const target = referenceTarget(value.reference, into.options.base);
  if (target !== undefined) into.add({ kind: 'reference', parameter, target });
}

function uriReference(value: unknown, parameter: ParameterName, into: Collector): void {
  if (typeof value === 'string') into.add({ kind: 'reference', parameter, target: value });
}

/** `url|version` is found with and without its version. */
function canonicalReference(value: unknown, parameter: ParameterName, into: Collector): void {
  if (typeof value !== 'string') return;
  const [url = value] = value.split('|', 1);
  into.add({ kind: 'reference', parameter, target: url });
  if (url !== value) into.add({ kind: 'reference', parameter, target: value });
}

function uri(value: unknown, parameter: ParameterName, into: Collector): void {
  if (typeof value === 'string') into.add({ kind: 'uri', parameter, value });
}

function canonicalUri(value: unknown, parameter: ParameterName, into: Collector): void {
  if (typeof value !== 'string') return;
  const [url = value] = value.split('|', 1);
  into.add({ kind: 'uri', parameter, value: url });
  if (url !== value) into.add({ kind: 'uri', parameter, value });
}

function string(value: unknown, parameter: ParameterName, into: Collector): void {
  if (typeof value !== 'string' || value === '') return;
  into.add({ kind: 'string', parameter, value, folded: foldString(value) });
}

function date(value: unknown, parameter: ParameterName, into: Collector): void {
  const range = typeof value === 'string' ? instantRange(value, into.options.zoneOffsetMinutes) : undefined;
  if (range !== undefined) into.add({ kind: 'date', parameter, low: range.low, high: range.high });
}

function number(value: unknown, parameter: ParameterName, into: Collector): void {
  const known = decimalNumber(value);
  if (known !== undefined) into.add({ kind: 'number', parameter, ...exactly(known) });
}

function numberRange(value: unknown, parameter: ParameterName, into: Collector): void {
  if (!isObject(value)) return;
  const low = isObject(value.low) ? decimalNumber(value.low.value) : undefined;
  const high = isObject(value.high) ? decimalNumber(value.high.value) : undefined;
  if (low === undefined && high === undefined) return;
  const end = high === undefined ? Infinity : exactly(high).high;
  into.add({ kind: 'number', parameter, low: low ?? -Infinity, high: end });
}
