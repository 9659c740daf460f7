// A version made ready before its transaction begins: its index entries, and its text but for what only the transaction knows.
import { writeJson } from '../fhir/exact-json.ts';
import { collectReferences } from '../fhir/references.ts';
import type { FhirResource } from '../fhir/resource.ts';
import type { IndexEntry } from '../search/index-entry.ts';
import type { SearchIndex } from '../search/search-index.ts';
import { instant, stamp } from './stamp.ts';

export interface PreparedVersion {
  /** The text of the resource with its version and time (ms since 1970) in it; undefined: it has to be written anew. */
  textOf(version: number, at: number): string | undefined;
  /** Its entries; undefined: they have to be made anew. */
  entriesBy(index: SearchIndex): readonly IndexEntry[] | undefined;
  /** What it refers to. */
  readonly references: readonly string[];
}

export function prepareVersion(index: SearchIndex, resource: FhirResource, id: string): PreparedVersion {
  const pieces = piecesOf(resource, id);
  const { revision } = index;
  const entries = timelessEntries(index, resource, id);
  return {
    textOf: (version, at) => pieces && `${pieces[0]}${version}${pieces[1]}${instant(at)}${pieces[2]}`,
    entriesBy: (current) => (current.revision === revision ? entries : undefined),
    references: collectReferences(resource),
  };
}

/** Stand where version and time will be. */
const versionMark = '\u0001version';
const timeMark = '\u0001time';
const written = (mark: string): string => writeJson(mark).slice(1, -1);
const writtenVersion = written(versionMark);
const writtenTime = written(timeMark);

/** What stands around version and time; undefined where somebody's own text looks like their marks. */
function piecesOf(resource: FhirResource, id: string): readonly [string, string, string] | undefined {
  const meta = { ...resource.meta, versionId: versionMark, lastUpdated: timeMark };
  const head = { resourceType: resource.resourceType, id, meta };
  const parts = writeJson({ ...head, ...resource, ...head }).split(writtenVersion);
  const [before = '', rest = ''] = parts;
  const [between = '', after = '', ...more] = rest.split(writtenTime);
  const isSure = parts.length === 2 && more.length === 0 && !before.includes(writtenTime);
  return isSure ? [before, between, after] : undefined;
}

/** undefined where a parameter of the hospital's own looks at version or time. Those of R4 do not. */
function timelessEntries(
  index: SearchIndex,
  resource: FhirResource,
  id: string,
): readonly IndexEntry[] | undefined {
  const entries = index.entries(stamp(resource, id, 1, 0));
  if (index.revision === 0) return entries;
  const later = index.entries(stamp(resource, id, 2, Date.UTC(2000, 0)));
  return writeJson(entries) === writeJson(later) ? entries : undefined;
}
