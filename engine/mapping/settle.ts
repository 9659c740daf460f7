// What happens when a result arrives that is stored already: what a person released stays, unless the sender corrects it.
// The states are those of https://hl7.org/fhir/R4/valueset-observation-status.html and diagnostic-report-status.
import { writeJson } from '../fhir/exact-json.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { deterministicId } from './deterministic-id.ts';
import { mergeInto, type Merging } from './merge.ts';
import type { Issue } from './wire-message.ts';

/**
 * put: written under its id. once: likewise, but never over one that is there, for a person may have changed it.
 * if-none-exist: created unless its condition finds one. merge: changes what is there by what the message says, and only that.
 */
export type WriteKind = 'put' | 'once' | 'if-none-exist' | 'merge';

/** Resources that are stored already, by `Type/id`. */
export type Earlier = ReadonlyMap<string, FhirResource>;

interface Incoming {
  readonly write: WriteKind;
  readonly merging: Merging;
  readonly corrects: boolean;
  readonly messageId: string;
  readonly place: string | undefined;
  /** Whether this run writes what a reference names. */
  readonly written: (reference: string) => boolean;
}

export interface Settled {
  readonly resource: FhirResource;
  readonly written: boolean;
  readonly issue?: Issue;
}

const released = new Set(['final', 'amended', 'corrected', 'appended']);
const isReleased = (resource: FhirResource): boolean => released.has(String(resource['status']));

export function settle(wanted: FhirResource, earlier: Earlier, incoming: Incoming): Settled {
  const stored = earlier.get(`${wanted.resourceType}/${wanted.id ?? ''}`);
  if (incoming.write === 'merge') return settleMerge(wanted, stored, incoming.merging);
  if (stored === undefined) return { resource: wanted, written: true };
  if (wanted.resourceType === 'Observation') return settleObservation(wanted, stored, incoming);
  if (wanted.resourceType === 'DiagnosticReport') return settleReport(wanted, stored, incoming);
  if (wanted.resourceType === 'Task') return settleTask(wanted, stored, incoming);
  return incoming.write === 'once'
    ? { resource: stored, written: false }
    : { resource: wanted, written: true };
}

function settleMerge(wanted: FhirResource, stored: FhirResource | undefined, merging: Merging): Settled {
  const resource = mergeInto(stored, wanted, merging);
  return { resource, written: stored === undefined || writeJson(resource) !== writeJson(stored) };
}

/** Same key and same value: nothing to write. Another value: only when the sender says that it corrects. */
function settleObservation(wanted: FhirResource, stored: FhirResource, incoming: Incoming): Settled {
  if (incoming.corrects) return settleCorrection(wanted, stored);
  if (saysTheSame(wanted, stored)) return { resource: stored, written: false };
  const issue: Issue = {
    severity: 'error',
    code: 'result-changed',
    text: 'a result that is stored already comes again with another value, and is not marked as a correction (OBX-11 C); compare both, then mend and replay, or discard',
  };
  const { place } = incoming;
  return { resource: stored, written: false, issue: place === undefined ? issue : { ...issue, place } };
}

function settleCorrection(wanted: FhirResource, stored: FhirResource): Settled {
  const withdrawn = wanted['status'] === 'entered-in-error';
  const status = isReleased(stored) && !withdrawn ? 'corrected' : wanted['status'];
  if (saysTheSame(wanted, stored) && stored['status'] === status) return { resource: stored, written: false };
  return { resource: { ...stored, ...wanted, status }, written: true };
}

function saysTheSame(one: FhirResource, other: FhirResource): boolean {
  return writeJson(saying(one)) === writeJson(saying(other));
}

const saying = (resource: FhirResource): readonly (readonly [string, unknown])[] =>
  Object.entries(resource)
    .filter(([name]) => name.startsWith('value') || name === 'dataAbsentReason')
    .toSorted(([one], [other]) => (one < other ? -1 : 1));

/** A report is written again only for results that are; what it had besides stays. */
function settleReport(wanted: FhirResource, stored: FhirResource, { written }: Incoming): Settled {
  const results = references(wanted);
  const known = references(stored);
  const news = results.filter((reference) => written(reference) || !known.includes(reference));
  if (news.length === 0) return { resource: stored, written: false };
  const result = [...new Set([...known, ...results])].map((reference) => ({ reference }));
  const status = isReleased(stored) ? 'corrected' : wanted['status'];
  return { resource: { ...stored, ...wanted, status, result }, written: true };
}

function references(report: FhirResource): readonly string[] {
  const results = (report['result'] ?? []) as readonly { readonly reference?: string }[];
  return results.flatMap(({ reference }) => (reference === undefined ? [] : [reference]));
}

/** What a person has done is done: a report that was corrected since gets a task of its own. */
function settleTask(wanted: FhirResource, stored: FhirResource, incoming: Incoming): Settled {
  const { reference = '' } = (wanted['focus'] ?? {}) as { readonly reference?: string };
  const open = ['requested', 'received', 'accepted', 'ready', 'in-progress'].includes(
    String(stored['status']),
  );
  if (open || !incoming.written(reference)) return { resource: stored, written: false };
  const id = deterministicId([wanted.id ?? '', incoming.messageId]);
  return { resource: { ...wanted, id }, written: true };
}
