// The answers to single entries: https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.response
import type { Bundle, BundleEntry, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { parseResource } from '../fhir/exact-json.ts';
import { badRequest, type Refusal } from '../kernel/outcomes.ts';
import type { StoredVersion } from '../storage/resource-store.ts';
import type { Request } from './bundle-entries.ts';
import { read, readVersion } from './read.ts';
import type { BundleRead, Written } from './repository.ts';
import type { Target } from './request-url.ts';
import { outcomeOf } from './search-outcome.ts';
import { search } from './search.ts';
import { instant } from './stamp.ts';
import type { Reading } from './work.ts';

const statuses = {
  created: '201 Created',
  updated: '200 OK',
  unchanged: '200 OK',
  deleted: '204 No Content',
} as const satisfies Record<Written['outcome'], string>;

/** What a writing entry came to: nothing where nothing was there to be deleted, several where criteria matched several. */
export function answerWritten(all: readonly Written[]): BundleEntry {
  const [written] = all;
  if (!written) return { response: { status: statuses.deleted } };
  if (all.length > 1) return { response: { status: '200 OK', outcome: tellDeleted(all.length) } };
  const { stored, outcome } = written;
  if (stored.body === undefined) return { response: { status: statuses.deleted, ...versionFacts(stored) } };
  const location = `${stored.type}/${stored.id}/_history/${stored.version}`;
  return { response: { status: statuses[outcome], location, ...versionFacts(stored) } };
}

const versionFacts = (stored: StoredVersion): { readonly etag: string; readonly lastModified: string } => ({
  etag: `W/"${stored.version}"`,
  lastModified: instant(stored.lastUpdated),
});

/** Says how many resources a deletion took away. */
export const tellDeleted = (count: number): OperationOutcome => ({
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'information', code: 'informational', diagnostics: `${count} resources were deleted` }],
});

/** Answers a read whose target is of kind `other`. Throws Refusal. */
export type OtherReads = (read: BundleRead) => Promise<BundleEntry>;

/** Where nobody answers them. */
export const noOtherReads: OtherReads = () =>
  Promise.reject(badRequest('the url is not that of a type, a resource, a version or a search'));

/** A GET or HEAD: https://hl7.org/fhir/R4/http.html#read, with its conditions. */
export async function answerRead(
  reading: Reading,
  request: Request,
  others: OtherReads,
): Promise<BundleEntry> {
  const { target, ifNoneMatch, ifModifiedSince } = request;
  if (target.kind === 'other') {
    const method = request.method === 'HEAD' ? 'HEAD' : 'GET';
    return others({ method, path: target.path, query: target.query, ifNoneMatch, ifModifiedSince });
  }
  const { resource, response, ...answer } = await found(reading, target);
  if (response && isKnown(request, response)) {
    return { response: { ...response, status: '304 Not Modified' } };
  }
  const shown = request.method === 'HEAD' || resource === undefined ? {} : { resource };
  return { ...answer, ...shown, ...(response && { response }) };
}

/** Whether the client has this version, as it says: https://hl7.org/fhir/R4/http.html#cread */
function isKnown(
  { ifNoneMatch, ifModifiedSince }: Request,
  { etag, lastModified }: NonNullable<BundleEntry['response']>,
): boolean {
  if (etag === undefined || lastModified === undefined) return false;
  if (ifNoneMatch !== undefined) return namesVersion(ifNoneMatch, etag);
  return ifModifiedSince !== undefined && Date.parse(lastModified) <= Date.parse(ifModifiedSince);
}

const namesVersion = (etags: string, etag: string): boolean =>
  etags.split(',').some((one) => ['*', etag, etag.slice(2)].includes(one.trim()));

async function found(reading: Reading, target: Exclude<Target, { kind: 'other' }>): Promise<BundleEntry> {
  switch (target.kind) {
    case 'instance':
      return answerStored(await read(reading, target.type, target.id));
    case 'version':
      return answerStored(await readVersion(reading, target.type, target.id, target.version));
    case 'matching':
      return answerSearch(reading, target.type, target.query);
    case 'type':
      return answerSearch(reading, target.type, '');
    default:
      return target satisfies never;
  }
}

function answerStored(stored: StoredVersion): BundleEntry {
  return { resource: resourceOf(stored), response: { status: '200 OK', ...versionFacts(stored) } };
}

async function answerSearch(reading: Reading, type: string, query: string): Promise<BundleEntry> {
  const base = reading.parts.base();
  const { matches, included, total, self, next, unfinished } = await search(reading, type, query);
  const link = (relation: string, asked: string) => ({ relation, url: `${base}/${type}?${asked}` });
  const entry = (mode: 'match' | 'include') => (stored: StoredVersion) => ({
    fullUrl: `${base}/${stored.type}/${stored.id}`,
    resource: resourceOf(stored),
    search: { mode },
  });
  const outcome = outcomeOf({ ignored: [], unfinished });
  const entries: BundleEntry[] = [
    ...matches.map(entry('match')),
    ...included.map(entry('include')),
    ...(outcome ? [{ resource: outcome, search: { mode: 'outcome' as const } }] : []),
  ];
  const resource: Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    ...(total === undefined ? {} : { total }),
    link: [link('self', self), ...(next === undefined ? [] : [link('next', next)])],
    ...(entries.length === 0 ? {} : { entry: entries }),
  };
  return { resource, response: { status: '200 OK' } };
}

/** What a batch says of an entry that was refused. */
export function answerRefused(refusal: Refusal): BundleEntry {
  return { response: { status: String(refusal.status), outcome: refusal.outcome } };
}

function resourceOf(stored: StoredVersion): Resource {
  return parseResource(stored.body ?? 'null') as unknown as Resource;
}
